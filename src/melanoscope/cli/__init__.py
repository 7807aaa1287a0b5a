"""The commands. Each imports what it needs when it is entered, so that --help is quick.

Exit status 0: done. 1: could not do it, one line on stderr says why. 2: wrong usage.
"""

from melanoscope.cli.app import app, main

__all__ = ["app", "main"]
