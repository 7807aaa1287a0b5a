"""The run folder: what is written in it, and how it is read."""
