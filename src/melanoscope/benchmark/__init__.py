"""The matrix of backbones x transfer x folds x repeats, and its run folder."""
