"""Diagnosing the photographs of a table, row by row, resumable."""
