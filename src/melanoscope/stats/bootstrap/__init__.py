"""Bootstrap of whole groups (patients): weights once, every metric under all of them."""
