"""One photograph, one diagnosis: bundles, the predictor, explanations. No PyTorch."""
