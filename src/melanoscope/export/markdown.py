"""Words, numbers and intervals as text for Markdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoscope.stats.intervals.interval import Interval

_MINUS = "\N{MINUS SIGN}"


def text(value: object) -> str:
    r"""Return words from elsewhere so that they stay within their cell and are no markup.

    >>> text("a|b <c>")
    'a\\|b &lt;c&gt;'
    """
    words = " ".join(str(value).split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def finite(value: float | None) -> float:
    """Return `value` as a number.

    Args:
        value: The number.

    Returns:
        The same number.

    Raises:
        ValueError: `value` is None, NaN or infinite: nothing of the kind is ever printed.
    """
    if value is None or not math.isfinite(value):
        raise ValueError(f"a number that is none: {value!r}")
    return float(value)


def number(value: float | None) -> str:
    """Write a number with as many decimals as its size leaves room for, and with a true minus.

    >>> number(0.81868), number(3320.3), number(-1.35696) == _MINUS + "1.357"
    ('0.819', '3,320', True)
    """
    size = abs(finite(value))
    places = 0 if size >= 100 else 1 if size >= 20 else 3
    written = f"{value:,.{places}f}" if size >= 0.001 or size == 0 else f"{value:.1e}"
    return written.replace("-", _MINUS)


def percent(value: float | None) -> str:
    """Write a share in per cent.

    >>> percent(0.0176), percent(0.00004)
    ('1.8 %', '0.004 %')
    """
    share = 100 * finite(value)
    return f"{share:.1f} %" if abs(share) >= 0.1 or share == 0 else f"{share:.1g} %"


def count(value: float) -> str:
    """Write a whole number with commas between thousands."""
    return f"{int(finite(value)):,}"


def interval(one: Interval) -> str:
    """Write an estimate with its bounds, as "0.800 (0.700 to 0.900)"."""
    return f"{number(one.estimate)} ({number(one.low)} to {number(one.high)})"


def rate(one: Interval) -> str:
    """Write a share with its bounds, as "80.0 % (70.0 to 90.0)"."""
    low, high = (percent(bound).removesuffix(" %") for bound in (one.low, one.high))
    return f"{percent(one.estimate)} ({low} to {high})"


def interval_n(one: Interval | None, reason: str = "") -> str:
    """Write an estimate with its bounds and its n, or the `reason` why there is none."""
    return f"{interval(one)}, n = {one.n:,}" if one else text(reason or "too few for a number")


def rate_n(one: Interval | None, reason: str = "") -> str:
    """Write a share with its bounds and its n, or the `reason` why there is none."""
    return f"{rate(one)}, n = {one.n:,}" if one else text(reason or "too few for a number")


FILTERS = {
    **{one.__name__: one for one in (text, number, percent, count)},
    **{one.__name__: one for one in (interval, rate, interval_n, rate_n)},
    "megabytes": lambda size: f"{finite(size) / 1e6:.1f}",
    "milliseconds": lambda time: f"{finite(time):.2f}",
}
"""Filters for templates."""
