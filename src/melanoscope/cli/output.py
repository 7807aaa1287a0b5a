"""Everything that a command prints, but rich tables: nothing of it acts in a terminal.

Names of files and words of tables come from strangers. All commands print through here, so that
none can forget to escape them; `tests/cli/test_output.py` looks for other ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from melanoscope.errors import one_line
from melanoscope.json_text import json_text


def say(text: object, *, err: bool = False) -> None:
    """Print `text` as one line, on stderr with `err`."""
    typer.echo(one_line(str(text)), err=err)


def say_aside(text: object) -> None:
    """Print `text` as one line on stderr, as what melanoscope itself has to say."""
    say(f"melanoscope: {text}", err=True)


def print_json(value: Mapping[str, Any]) -> None:
    """Print `value` as one JSON document on stdout."""
    typer.echo(json_text(value, indent=2))
