"""Words, numbers and intervals as text for Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoscope.stats.intervals.interval import Interval

_MINUS = "\N{MINUS SIGN}"


def _text(value: object) -> str:
    r"""Return words from elsewhere so that they stay within their cell and are no markup.

    >>> _text("a|b <c>")
    'a\\|b &lt;c&gt;'
    """
    words = " ".join(str(value).split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def _finite(value: float | None) -> float:
    """Return `value`, or raise a ValueError: no None, NaN or infinity is ever printed."""
    if value is None or not math.isfinite(value):
        raise ValueError(f"a number that is none: {value!r}")
    return float(value)


def _number(value: float | None) -> str:
    """Write a number with as many decimals as its size leaves room for, and with a true minus.

    >>> _number(0.81868), _number(3320.3), _number(-1.35696) == _MINUS + "1.357"
    ('0.819', '3,320', True)
    """
    size = abs(_finite(value))
    places = 0 if size >= 100 else 1 if size >= 20 else 3
    written = f"{value:,.{places}f}" if size >= 0.001 or size == 0 else f"{value:.1e}"
    return written.replace("-", _MINUS)


def _percent(value: float | None) -> str:
    """Write a share in per cent.

    >>> _percent(0.0176), _percent(0.00004)
    ('1.8 %', '0.004 %')
    """
    share = 100 * _finite(value)
    return f"{share:.1f} %" if abs(share) >= 0.1 or share == 0 else f"{share:.1g} %"


def _interval(one: Interval) -> str:
    """Write an estimate with its bounds, as "0.800 (0.700 to 0.900)"."""
    return f"{_number(one.estimate)} ({_number(one.low)} to {_number(one.high)})"


def _rate(one: Interval) -> str:
    """Write a share with its bounds, as "80.0 % (70.0 to 90.0)"."""
    low, high = (_percent(bound).removesuffix(" %") for bound in (one.low, one.high))
    return f"{_percent(one.estimate)} ({low} to {high})"


def _interval_n(one: Interval | None, reason: str = "") -> str:
    """Write an estimate with its bounds and its n, or the `reason` why there is none."""
    return f"{_interval(one)}, n = {one.n:,}" if one else _text(reason or "too few for a number")


def _rate_n(one: Interval | None, reason: str = "") -> str:
    """Write a share with its bounds and its n, or the `reason` why there is none."""
    return f"{_rate(one)}, n = {one.n:,}" if one else _text(reason or "too few for a number")


FILTERS: dict[str, Callable[..., str]] = {
    "text": _text,
    "capital": lambda words: words[:1].upper() + words[1:],
    "number": _number,
    "percent": _percent,
    "count": lambda value: f"{int(_finite(value)):,}",
    "megabytes": lambda size: f"{_finite(size) / 1e6:.1f}",
    "milliseconds": lambda time: f"{_finite(time):.2f}",
    "interval": _interval,
    "rate": _rate,
    "interval_n": _interval_n,
    "rate_n": _rate_n,
}
"""Filters for templates."""
