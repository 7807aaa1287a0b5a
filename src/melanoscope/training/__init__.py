"""Augmentation, batches and the training of one network."""
