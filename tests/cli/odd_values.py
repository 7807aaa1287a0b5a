"""Every option of every command with odd values; the table is the program's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from melanoscope.cli.app import app

NOT_UTF8 = "\udcff"
NUMBERS = ("-1", "0", "99999999999999999999", "nan", "inf", "", "x", "1.5", "-inf", "1e400", "1e3")
TEXTS = ("", "\u202e\u0663", NOT_UTF8, "y" * 5000, "a=b,,=", " ", "=", ",", "\x1b[2J\n", "-1")
PATHS = ("", "{folder}", NOT_UTF8, "{file}/x", "/dev/null", "z" * 300, "a\nb\x1b[2J", "{absent}")


def commands(group: Any = None, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the name of each command, as it is typed, and the command."""
    group = typer.main.get_command(app) if group is None else group
    if not hasattr(group, "commands"):
        yield " ".join(names), group
        return
    for name, command in group.commands.items():
        yield from commands(command, (*names, name))


def odd_calls(
    bases: Mapping[str, Sequence[str]], places: Mapping[str, Path], most: int
) -> Iterator[list[str]]:
    """Yield the words of commands: for each parameter, up to `most` odd values beside good others.

    Args:
        bases: Words of each command that are good.
        places: What stands for {folder}, {file} and {absent} in values.
        most: Number of values for each parameter.

    Yields:
        The words of one call.
    """
    for name, command in commands():
        base = [*name.split(), *bases[name]]
        for parameter in command.params:
            flags = [option for option in parameter.opts if option.startswith("--")]
            if parameter.param_type_name == "argument":
                yield from ([*base, value] for value in _values(parameter, places, most))
            elif getattr(parameter, "is_flag", False):
                yield [*base, *flags[:1]]
                yield [*base, *flags[:1], *flags[:1]]  # said twice
            else:
                rest = _without(base, flags[0])
                yield [*base, flags[0]]  # without a value
                for value in _values(parameter, places, most):
                    yield [*rest, flags[0], value]


def _values(parameter: Any, places: Mapping[str, Path], most: int) -> list[str]:
    kind = type(parameter.type).__name__
    is_number = "Int" in kind or "Float" in kind
    values = NUMBERS if is_number else PATHS if "Path" in kind else TEXTS
    return [value.format(**places) if "{" in value else value for value in values[:most]]


def _without(words: list[str], option: str) -> list[str]:
    if option not in words:
        return words
    place = words.index(option)
    return words[:place] + words[place + 2 :]
