"""Metrics of a binary classifier, ROC curves, operating points, decision curves."""
