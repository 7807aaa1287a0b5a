"""The run folder: its cells, its files, writing and reading it, and the results it holds."""
