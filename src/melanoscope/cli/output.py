"""Everything that a command prints, but rich tables: nothing of it acts in a terminal.

Names of files and words of tables come from strangers. All commands print through here, so that
none can forget to escape them; `tests/cli/test_output.py` looks for other ways.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import typer

from melanoscope.errors import one_line


def say(text: object, *, err: bool = False) -> None:
    """Print `text` as one line, on stderr with `err`."""
    typer.echo(one_line(str(text)), err=err)


def say_aside(text: object) -> None:
    """Print `text` as one line on stderr, as what melanoscope itself has to say."""
    say(f"melanoscope: {text}", err=True)


def print_json(value: Mapping[str, Any]) -> None:
    """Print `value` as one JSON document on stdout."""
    typer.echo(json_text(value))


def json_text(value: Mapping[str, Any]) -> str:
    r"""Return `value` as JSON: no NaN, which JSON does not have, and nothing that a terminal obeys.

    >>> print(json_text({"a": float("nan"), chr(0x202E) + "b": ["é", chr(27)]}))
    {
      "a": null,
      "\u202eb": [
        "é",
        "\u001b"
      ]
    }
    """
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
