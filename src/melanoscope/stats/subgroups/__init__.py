"""Performance by subgroup and by archive."""
