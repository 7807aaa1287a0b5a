"""Confidence intervals and tests of metrics and of their differences."""
