"""What is suspicious about the data: near-duplicates, leaks, shortcuts, associations, files."""
