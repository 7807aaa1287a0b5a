"""Backbones, their weights, and the network of the poster's Figure 1."""
