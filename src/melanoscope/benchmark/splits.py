"""How photographs are divided and networks begun: as should be, or as the poster did.

"corrected": folds never split a group, each network starts anew and is tested on its own fold.
"poster": photographs are divided one by one, all folds' networks are tested on one fixed set, and
each fold goes on from the network of the fold before. Kept so that the difference can be measured;
its numbers do not mean what they seem to (docs/poster.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.data.folds import assign_folds, hold_out
from melanoscope.data.nested_share import nested_share
from melanoscope.data.sources import DataSpec
from melanoscope.errors import DataError, nearest
from melanoscope.runs.files import TEST_FOLD
from melanoscope.seeds import Purpose, derive_seed

Protocol = Literal["corrected", "poster"]
PROTOCOLS: tuple[Protocol, ...] = ("corrected", "poster")

# The poster does not say how large its test set was: a fifth is taken.
_POSTER_TEST_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the catalog by what they are used for in one cell; no row is in two of them.

    Attributes:
        train: Rows that the network learns from.
        validation: Rows that decide on stopping, on the weights that are kept and on the threshold.
        test: Rows that the network is tested on.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def parse_protocol(text: str) -> Protocol:
    """Return `text` as a protocol; where it is none, a `DataError` names the nearest."""
    known: dict[str, Protocol] = {name: name for name in PROTOCOLS}
    if text not in known:
        raise DataError("a known protocol", f"'{text}'", nearest(text, list(known)))
    return known[text]


def poster_sources(specs: Sequence[DataSpec]) -> tuple[DataSpec, ...]:
    """Return the archives of `specs` as the poster merged them: of ISIC 2019 the melanomas only."""
    return tuple(
        DataSpec("isic2019-melanoma", spec.path) if spec.kind == "isic2019" else spec
        for spec in specs
    )


def assign_protocol_folds(
    protocol: Protocol,
    groups: Sequence[str],
    targets: NDArray[np.int8],
    n_folds: int,
    *,
    seed: int,
    repeat: int,
) -> NDArray[np.int64]:
    """Assign each photograph one of `n_folds` or `TEST_FOLD`, for a `repeat` of a run's `seed`."""
    division = derive_seed(seed, Purpose.DIVISION, repeat=repeat)
    if protocol == "corrected":
        return assign_folds(groups, targets, n_folds, division)
    singles = [str(row) for row in range(len(groups))]
    apart = derive_seed(seed, Purpose.POSTER_TEST, repeat=repeat)
    in_test = assign_folds(singles, targets, _POSTER_TEST_FOLDS, apart) == 0
    rest = np.flatnonzero(~in_test)
    folds = np.full(len(groups), TEST_FOLD, np.int64)
    folds[rest] = assign_folds([singles[row] for row in rest], targets[rest], n_folds, division)
    return folds


def split_catalog(
    protocol: Protocol,
    frame: pl.DataFrame,
    folds: NDArray[np.int64],
    fold: int,
    validation_fraction: float,
    seed: int,
) -> Split:
    """Divide the rows of `frame`, whose `folds` are given, for one `fold` of a `protocol`."""
    if protocol == "poster":
        return Split(
            train=np.flatnonzero((folds != fold) & (folds != TEST_FOLD)),
            validation=np.flatnonzero(folds == fold),
            test=np.flatnonzero(folds == TEST_FOLD),
        )
    others = np.flatnonzero(folds != fold)
    held_out = hold_out(
        frame["group_id"].gather(others).to_list(),
        frame["target"].to_numpy()[others],
        validation_fraction,
        seed,
    )
    return Split(
        train=others[~held_out],
        validation=others[held_out],
        test=np.flatnonzero(folds == fold),
    )


def take_share(split: Split, frame: pl.DataFrame, share: float, seed: int) -> Split:
    """Keep a share of the groups of both parts that are learned from.

    Who has a tenth of the patients has a tenth of them to validate on, too; all are tested on the
    same photographs.

    Args:
        split: The parts of one cell.
        frame: Rows of the catalog.
        share: Share of the groups, above 0, to 1.
        seed: Seed of the order in which groups are taken; a smaller share by the same seed is part
            of a larger one.

    Returns:
        The parts, that for testing as it was; each of the others has both classes.
    """

    def some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        groups = frame["group_id"].gather(rows).to_list()
        return rows[nested_share(groups, frame["target"].to_numpy()[rows], share, seed)]

    return replace(split, train=some(split.train), validation=some(split.validation))
