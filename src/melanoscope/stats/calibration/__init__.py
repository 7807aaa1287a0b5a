"""Calibration of probabilities: temperature scaling, calibration error, slope and intercept."""
