"""The matrix of backbones x transfer x folds x repeats x seeds, and its run folder."""
