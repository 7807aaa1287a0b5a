"""python -m melanoscope.cli."""

from melanoscope.cli import main

main()
