"""Words and numbers of a record, written for Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_MINUS = "\N{MINUS SIGN}"
_TOO_FEW = "too few for a number"


def plain(key: str) -> str:
    """Write a key of a record as words."""
    return key.replace("_", " ").replace(" gib", ", GiB")


def text(value: object) -> str:
    r"""Write something from elsewhere so that it stays within its cell and is no markup.

    >>> text("a|b <c>")
    'a\\|b &lt;c&gt;'
    """
    words = " ".join(str(value).split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def finite(value: float | None) -> float:
    """Return a number.

    Raises:
        ValueError: It is none: nothing of the kind is ever printed.
    """
    if value is None or not math.isfinite(value):
        raise ValueError(f"a number that is none: {value!r}")
    return float(value)


def number(value: float) -> str:
    """Write a number with as many decimals as its size leaves room for; a true minus.

    >>> number(0.81868), number(3320.3), number(-1.35696) == _MINUS + "1.357"
    ('0.819', '3,320', True)
    """
    size = abs(finite(value))
    places = 0 if size >= 100 else 1 if size >= 20 else 3
    written = f"{value:,.{places}f}" if size >= 0.001 or size == 0 else f"{value:.1e}"
    return written.replace("-", _MINUS)


def percent(value: float) -> str:
    """Write a share.

    >>> percent(0.0176), percent(0.00004)
    ('1.8 %', '0.004 %')
    """
    share = 100 * finite(value)
    return f"{share:.1f} %" if abs(share) >= 0.1 or share == 0 else f"{share:.1g} %"


def interval(entry: Mapping[str, Any]) -> str:
    """Write an estimate with the bounds of its interval.

    >>> interval({"estimate": 0.8, "low": 0.7, "high": 0.9})
    '0.800 (0.700 to 0.900)'
    """
    estimate, low, high = (number(entry[key]) for key in ("estimate", "low", "high"))
    return f"{estimate} ({low} to {high})"


def rate(entry: Mapping[str, Any]) -> str:
    """Write a share with its interval.

    >>> rate({"estimate": 0.8, "low": 0.7, "high": 0.9})
    '80.0 % (70.0 to 90.0)'
    """
    low, high = (percent(entry[key]).removesuffix(" %") for key in ("low", "high"))
    return f"{percent(entry['estimate'])} ({low} to {high})"


def share(entry: Mapping[str, Any] | None, reason: str = "") -> str:
    """Write a share with its interval and what it rests on, or why there is none."""
    return text(reason or _TOO_FEW) if entry is None else f"{rate(entry)}, n = {entry['n']:,}"


def measured(entry: Mapping[str, Any] | None, reason: str = "") -> str:
    """Write an estimate with its interval and what it rests on, or why there is none."""
    return text(reason or _TOO_FEW) if entry is None else f"{interval(entry)}, n = {entry['n']:,}"


def count(value: float) -> str:
    """Write a whole number with thousands apart."""
    return f"{int(finite(value)):,}"


FILTERS = {
    "text": text,
    "number": number,
    "percent": percent,
    "interval": interval,
    "rate": rate,
    "share": share,
    "measured": measured,
    "count": count,
    "units": lambda entry: f"{count(entry['n'])} {entry.get('unit', '')}".rstrip(),
    "megabytes": lambda value: f"{finite(value) / 1e6:.1f}",
    "milliseconds": lambda value: f"{finite(value):.2f}",
}
"""For templates."""
