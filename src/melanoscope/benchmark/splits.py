"""How photographs are divided and networks begun: as should be, or as the poster did.

"corrected": folds never split a group, each network starts anew and is tested on its own fold.
"poster": photographs are divided one by one, all folds' networks are tested on one fixed part, and
each fold goes on from the network of the fold before. Kept so that the difference can be measured;
its numbers do not mean what they seem to (docs/poster.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.data.folds import assign_folds, hold_out
from melanoscope.data.sources import DataSpec
from melanoscope.errors import DataError, nearest

Protocol = Literal["corrected", "poster"]
PROTOCOLS: tuple[Protocol, ...] = ("corrected", "poster")

TEST = -1
"""Fold of the photographs that the poster's protocol tests every network on."""

POSTER_THRESHOLD = 0.5
# The poster does not say how large its test set was.
_POSTER_TEST_PARTS = 5


@dataclass(frozen=True)
class Split:
    """Rows of the catalog by what they are used for in one cell; disjoint."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def parse_protocol(text: str) -> Protocol:
    """Parse a protocol's name.

    Raises:
        DataError: An unknown name; names the nearest.
    """
    known: dict[str, Protocol] = {name: name for name in PROTOCOLS}
    if text not in known:
        raise DataError("a known protocol", f"'{text}'", nearest(text, list(known)))
    return known[text]


def poster_sources(specs: Sequence[DataSpec]) -> tuple[DataSpec, ...]:
    """Take of ISIC 2019 the melanomas only, as the poster merged them into ISIC 2020."""
    return tuple(
        DataSpec("isic2019-melanoma", spec.path) if spec.kind == "isic2019" else spec
        for spec in specs
    )


def divide(
    protocol: Protocol, groups: Sequence[str], targets: NDArray[np.int8], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Assign each photograph its fold, shape (n,); `TEST` for the poster's fixed test set.

    Raises:
        DataError: As `assign_folds`.
    """
    if protocol == "corrected":
        return assign_folds(groups, targets, n_folds, seed)
    alone = [str(row) for row in range(len(groups))]
    tested = assign_folds(alone, targets, _POSTER_TEST_PARTS, seed) == 0
    rest = np.flatnonzero(~tested)
    folds = np.full(len(groups), TEST, np.int64)
    folds[rest] = assign_folds([alone[row] for row in rest], targets[rest], n_folds, seed)
    return folds


def split(
    protocol: Protocol,
    frame: pl.DataFrame,
    folds: NDArray[np.int64],
    fold: int,
    validation_fraction: float,
    seed: int,
) -> Split:
    """Say which photographs one cell learns from, stops by and is tested on.

    Corrected: tested on its fold; some groups of the others decide on stopping, the same for every
    network of the fold. Poster: its fold decides on stopping; tested on the fixed test set.
    """
    if protocol == "poster":
        return Split(
            np.flatnonzero((folds != fold) & (folds != TEST)),
            np.flatnonzero(folds == fold),
            np.flatnonzero(folds == TEST),
        )
    training = np.flatnonzero(folds != fold)
    held = hold_out(
        frame["group_id"].gather(training).to_list(),
        frame["target"].to_numpy()[training],
        validation_fraction,
        seed,
    )
    return Split(training[~held], training[held], np.flatnonzero(folds == fold))
