"""Where a command is killed: before and after events, spread over the whole run."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .launch import Event

KILLS = int(os.environ.get("MELANOSCOPE_KILLS", "24"))
"""How often each command is killed at an exact event; fewer for a quick look."""

T = TypeVar("T")


@dataclass(frozen=True)
class Point:
    """Before or after an event, by its number from 1."""

    at: int
    after: bool
    event: Event

    @property
    def name(self) -> str:
        """What a test says of it."""
        what, where = self.event
        return f"{'after' if self.after else 'before'} {self.at}: {what} {where}"


def all_points(events: Sequence[Event]) -> list[Point]:
    """Return both sides of every event, in their order."""
    return [
        Point(number, after, event)
        for number, event in enumerate(events, 1)
        for after in (False, True)
    ]


def spread_points(events: Sequence[Event], count: int, cut: int = 0) -> list[Point]:
    """Return `count` points, or all where there are fewer, one of each kind where possible.

    Args:
        events: What the command does, in its order.
        count: Number of points.
        cut: Number of the event from which another row of the table has its own points: a sixth
            of these points lie behind it. Default: none does.

    Returns:
        The points, spread evenly, in their order.

    >>> events = [("open", f"cells/c{i}/.done.json.{i}.partial") for i in range(100)]
    >>> [point.at for point in spread_points([("mkdir", "cells"), *events], 7)]
    [1, 1, 2, 2, 3, 52, 101]
    >>> [point.at for point in spread_points(events, 6, cut=10)]
    [1, 1, 2, 6, 10, 11]
    """
    points = all_points(events)
    later = [one for one in points if cut and one.at > cut]
    behind = evenly(later, count // 6)
    return _spread([one for one in points if one not in later], count - len(behind)) + behind


def _spread(points: Sequence[Point], count: int) -> list[Point]:
    seen: set[str] = set()
    first = [one for one in points if (kind := _kind(one)) not in seen and not seen.add(kind)]
    kinds = evenly(first, count)
    others = [one for one in points if one not in kinds]
    chosen = {*kinds, *evenly(others, count - len(kinds))}
    return [one for one in points if one in chosen]


def evenly(of: Sequence[T], count: int) -> list[T]:
    """Return `count` of a sequence at equal distances, or all where there are fewer.

    >>> evenly("abcdefghij", 4)
    ['a', 'd', 'g', 'j']
    """
    if count >= len(of):
        return list(of)
    return [of[round(number * (len(of) - 1) / max(1, count - 1))] for number in range(count)]


def _kind(point: Point) -> str:
    what, where = point.event
    file = where.rpartition("/")[2]
    return f"{what} {re.sub(r'[0-9]+', '#', file)} {point.after}"
