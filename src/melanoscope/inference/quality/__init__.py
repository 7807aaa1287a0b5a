"""The quality gate: measures of a photograph, and the issues found with it."""
