"""The corpus as a whole, and a small part of it that a test can afford."""

from __future__ import annotations

import functools
import random
from collections import defaultdict

from .bombs import bombs
from .entry import Entry
from .odd import odd
from .places import places
from .tears import flipped, torn, wrong_names

_FEW = 2  # entries of each kind and ending in the small corpus


@functools.cache
def corpus(seed: int = 0) -> tuple[Entry, ...]:
    """Make every entry; the same seed and libraries, the same bytes."""
    makers = (torn, flipped, wrong_names, odd, bombs, places)
    return tuple(entry for maker in makers for entry in maker(seed))


@functools.cache
def small_corpus(seed: int = 0) -> tuple[Entry, ...]:
    """Choose some entries of each kind and format."""
    groups: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in corpus(seed):
        groups[entry.kind, entry.name.rpartition(".")[2]].append(entry)
    rng = random.Random(seed)
    return tuple(
        entry
        for entries in groups.values()
        for entry in rng.sample(entries, min(_FEW, len(entries)))
    )
