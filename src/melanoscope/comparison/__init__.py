"""Predictions of anybody's networks: read, whatever wrote them, and joined by photograph."""
