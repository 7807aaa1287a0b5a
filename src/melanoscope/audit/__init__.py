"""What is suspicious about the data: copies, leaks, shortcuts, associations, broken files."""
