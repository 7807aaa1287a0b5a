"""How photographs are divided and networks begun: as should be, or as the poster did.

"corrected": folds never split a group, each network starts anew and is tested on its own fold.
"poster": photographs are divided one by one, all folds' networks are tested on one fixed set, and
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
from melanoscope.runs.files import TEST_FOLD

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
    """Parse the name of a protocol.

    Args:
        text: One of `PROTOCOLS`.

    Returns:
        The same name.

    Raises:
        DataError: The name is unknown; the error names the nearest.
    """
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
    protocol: Protocol, groups: Sequence[str], targets: NDArray[np.int8], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Assign each photograph its fold.

    Args:
        protocol: "corrected" divides whole groups, "poster" single photographs.
        groups: Group of each photograph, length n.
        targets: 1 for melanoma, 0 for other lesions, shape (n,).
        n_folds: Number of folds, at least 2.
        seed: Seed of the division.

    Returns:
        Fold of each photograph, shape (n,): 0 to n_folds - 1, or `TEST_FOLD` for those of the
        poster's fixed test set.

    Raises:
        DataError: Only one class, or too few groups or photographs for such folds.
    """
    if protocol == "corrected":
        return assign_folds(groups, targets, n_folds, seed)
    singles = [str(row) for row in range(len(groups))]
    in_test = assign_folds(singles, targets, _POSTER_TEST_FOLDS, seed) == 0
    rest = np.flatnonzero(~in_test)
    folds = np.full(len(groups), TEST_FOLD, np.int64)
    folds[rest] = assign_folds([singles[row] for row in rest], targets[rest], n_folds, seed)
    return folds


def split_catalog(
    protocol: Protocol,
    frame: pl.DataFrame,
    folds: NDArray[np.int64],
    fold: int,
    validation_fraction: float,
    seed: int,
) -> Split:
    """Say which photographs one cell learns from, is validated on and is tested on.

    Args:
        protocol: "corrected" tests on the fold and validates on some groups of the others, the same
            for every network of the fold; "poster" validates on the fold and tests on the fixed
            test set.
        frame: Rows of the catalog, n of them.
        folds: Fold of each row, shape (n,), as `assign_protocol_folds`.
        fold: Fold of the cell.
        validation_fraction: Share of the photographs outside the fold that validate, 0..0.5.
        seed: Seed of their choice.

    Returns:
        The rows of each use.

    Raises:
        DataError: Too few groups outside the fold.
    """
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
