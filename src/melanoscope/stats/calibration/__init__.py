"""Calibration of probabilities: temperature scaling, error, line and curve, with intervals."""
