"""Every option of every command with odd values; the table is the program's own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from melanoscope.cli.app import app

NOT_UTF8 = "\udcff"
NUMBERS = ("-1", "0", "99999999999999999999", "nan", "inf", "", "x", "1.5", "-inf", "1e400", "1e3")
TEXTS = ("", "\u202e\u0663", NOT_UTF8, "y" * 5000, "a=b,,=", " ", "=", ",", "\x1b[2J\n", "-1")
PATHS = ("", "{folder}", NOT_UTF8, "{file}/x", "/dev/null", "z" * 300, "a\nb\x1b[2J", "{absent}")
PATHS += (".", "..", "{file}")

Bases = Mapping[str, Sequence[Sequence[str]]]


def commands(group: Any = None, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the name of each command, as it is typed, and the command."""
    group = typer.main.get_command(app) if group is None else group
    if not hasattr(group, "commands"):
        yield " ".join(names), group
        return
    for name, command in group.commands.items():
        yield from commands(command, (*names, name))


def odd_calls(bases: Bases, places: Mapping[str, Path]) -> Iterator[list[str]]:
    """Yield the words of commands: for each parameter every odd value beside good others.

    Args:
        bases: For each command, words that are good; of several, each takes all odd values.
        places: What stands for {folder}, {file} and {absent} in values.

    Yields:
        The words of one call.
    """
    for name, command in commands():
        for words in bases[name]:
            for parameter in command.params:
                yield from _odd_words([*name.split(), *words], parameter, places)


def _odd_words(base: list[str], parameter: Any, places: Mapping[str, Path]) -> Iterator[list[str]]:
    values = _values(parameter, places)
    if parameter.param_type_name == "argument":
        yield from ([*base, value] for value in values)
        return
    flag = next(option for option in parameter.opts if option.startswith("--"))
    if getattr(parameter, "is_flag", False):
        yield [*base, flag]
        yield [*base, flag, flag]  # said twice
        return
    rest = _without(base, flag)
    yield [*base, flag]  # without a value
    yield from ([*rest, flag, value] for value in values)


def _values(parameter: Any, places: Mapping[str, Path]) -> list[str]:
    kind = type(parameter.type).__name__
    is_number = "Int" in kind or "Float" in kind
    values = NUMBERS if is_number else PATHS if "Path" in kind else TEXTS
    return [value.format(**places) if "{" in value else value for value in values]


def _without(words: list[str], option: str) -> list[str]:
    if option not in words:
        return words
    place = words.index(option)
    return words[:place] + words[place + 2 :]


class TooSlowError(BaseException):
    """A command has not ended in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the main thread where the block takes longer than `seconds`."""
    if sys.platform == "win32":
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
