"""The API over HTTP: a predictor behind limits, a queue and problem documents. No PyTorch."""
