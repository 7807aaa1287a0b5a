"""The smallest difference in AUROC that matters."""

MARGIN = 0.02
"""Difference in AUROC below which two networks count as equally good.

A choice, made before any result: it is half the width of the published interval of dermatologists'
AUROC (`stats.reference.physicians`).
"""
