"""The machine: cores and threads that this process may use."""
