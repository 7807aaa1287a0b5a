"""One photograph, one answer: bundles, the predictor, explanations. No PyTorch."""
