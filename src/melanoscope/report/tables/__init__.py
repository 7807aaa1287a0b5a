"""Tables (a) to (d) of a run, and their CSV, Markdown and LaTeX files."""
