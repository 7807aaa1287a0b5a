"""Types of the numbers and names of bundle.json with the ranges that they may have.

They stand in the types themselves, so that the reader, the JSON schema and the page, whose types
and checks come from that schema, have one and the same. NaN and infinity are in no range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from melanoscope.stats.intervals.interval import Interval

_EXACT = 2**53 - 1  # the largest whole number that every reader of JSON keeps

Count = Annotated[int, Meta(ge=0, le=_EXACT)]
"""How many there are of something, or which one by its number."""

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Start of a random generator."""

InputSide = Annotated[int, Meta(ge=16, le=4096)]
"""Side of the network's input in pixels."""

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole."""

Prevalence = Annotated[float, Meta(gt=0, lt=1)]
"""Share of positive lesions, which has log odds."""

Temperature = Annotated[float, Meta(ge=1e-3, le=1e3)]
"""What logits are divided by; fits end at exp(-4) and exp(4)."""

Logit = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""A logit, before calibration."""

LogitQuantiles = Annotated[tuple[Logit, ...], Meta(min_length=2, max_length=1001)]
"""Logits at even steps from 0 to 100 per cent, ascending."""

Distance = Annotated[float, Meta(ge=0, le=3.5e38)]
"""Distance from the training photographs: what a graph of single precision can put out."""

Amount = Annotated[float, Meta(ge=0, le=1e15)]
"""Seconds, gibibytes and the like."""

AgeYears = Annotated[float, Meta(ge=0, le=200)]
"""An age in years."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
"""A sha256 in hexadecimal."""

Moment = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]+$", max_length=40)]
"""Date and time in ISO 8601."""

ThresholdKey = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=64)]
"""Name of a threshold for programs; it becomes the name of a column."""

_LARGEST = 1e9  # of an estimate or one of its bounds
_ROUNDING = 1e-9  # how far rounding may carry a share over 0 or 1


def interval_fault(interval: Interval, *, is_share: bool) -> str:
    """Return what is wrong with an interval that a bundle states, or "".

    Args:
        interval: The interval; NaN is a standard error that is not known.
        is_share: Whether it is of a share, so that all three numbers lie between 0 and 1.

    Returns:
        A clause for an error, or "".

    >>> one = Interval(estimate=1.2, low=0.1, high=1.3, standard_error=0.1, n=9, method="t")
    >>> interval_fault(one, is_share=False), interval_fault(one, is_share=True)
    ('', 'an estimate and bounds of 1.2, 0.1 and 1.3, which are no shares')
    """
    low, high = (-_ROUNDING, 1 + _ROUNDING) if is_share else (-_LARGEST, _LARGEST)
    numbers = (interval.estimate, interval.low, interval.high)
    # Written so that NaN is a fault.
    if not all(low <= one <= high for one in numbers):
        kind = "no shares" if is_share else "out of range"
        stated = "{:g}, {:g} and {:g}".format(*numbers)
        return f"an estimate and bounds of {stated}, which are {kind}"
    if interval.low > interval.high:
        return f"a lower bound {interval.low:g} above the upper one, {interval.high:g}"
    if interval.standard_error < 0 or interval.standard_error > _LARGEST:
        return f"a standard error of {interval.standard_error:g}"
    if not 0 <= interval.n <= _EXACT:
        return "an interval from a number of units that cannot be"
    if not 0 < interval.confidence < 1:
        return f"an interval of confidence {interval.confidence:g}"
    return ""


def intervals_of(value: Any, place: str = "$") -> Iterator[tuple[str, Interval]]:
    """Yield the place and the value of each interval within a record, its maps and its lists."""
    if isinstance(value, Interval):
        yield place, value
    elif isinstance(value, Struct):
        for name, one in structs.asdict(value).items():
            yield from intervals_of(one, f"{place}.{name}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from intervals_of(one, f"{place}[{name!r}]")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from intervals_of(one, f"{place}[{number}]")
