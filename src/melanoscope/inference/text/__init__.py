"""An answer in words, for terminals and pages."""
