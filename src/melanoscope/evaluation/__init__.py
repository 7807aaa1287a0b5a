"""A finished network on photographs of another archive: external validation."""
