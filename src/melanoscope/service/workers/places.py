"""Places of the queue for requests whose photographs are arriving.

A queue that counts only what has arrived lets in hundreds that arrive together, each slower for the
others, and refuses most of them once they are whole. So a request has a place from its head on. A
client with a slow connection must not hold one for as long as it sends: it has to find a free one
at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

ARRIVAL_SECONDS = 1.0
"""How long a place is held for a photograph that is still on its way."""


class Place:
    """The place of one request; `is_held` until it is left or the time is up."""

    def __init__(self, places: ArrivingPlaces) -> None:
        self._places, self.is_held = places, True
        places.taken += 1

    def leave(self) -> None:
        """Give the place back, if it is held."""
        self._places.taken -= self.is_held
        self.is_held = False


class ArrivingPlaces:
    """How many places are `taken` by requests that are arriving, within one event loop."""

    def __init__(self) -> None:
        self.taken = 0

    @contextmanager
    def hold(self) -> Iterator[Place]:
        """Hold a place for `ARRIVAL_SECONDS` at most, and for the block at most."""
        place = Place(self)
        timer = asyncio.get_running_loop().call_later(ARRIVAL_SECONDS, place.leave)
        try:
            yield place
        finally:
            timer.cancel()
            place.leave()
