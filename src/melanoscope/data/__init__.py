"""Photographs and their tables: archives, one catalog, folds, pixels. No torch, no model."""
