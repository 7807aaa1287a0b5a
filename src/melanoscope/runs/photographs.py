"""Whether the photographs that a run names are still those that it saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from melanoscope.data.content_hash import content_hashes

if TYPE_CHECKING:
    from melanoscope.runs.reader import Run

MAX_BYTES = 4 * 2**30
"""Of larger archives an even sample is compared: reading all of one takes minutes."""


@dataclass(frozen=True)
class PhotographComparison:
    """What has become of a run's photographs.

    Attributes:
        photographs: Number of photographs of the run.
        compared: How many of them are there and were read.
        changed: Image ids of those whose file has another content than the run saw.
        absent: How many are not where they were, as on another machine.
    """

    photographs: int
    compared: int
    changed: tuple[str, ...]
    absent: int

    @property
    def warning(self) -> str | None:
        """One sentence where photographs have changed, else None."""
        if not self.changed:
            return None
        return (
            f"{len(self.changed)} of {self.compared} photographs that were compared are no longer "
            f"those that the run saw ('{self.changed[0]}' first): its numbers are of the old ones."
        )


def compare_photographs(run: Run, max_bytes: int = MAX_BYTES) -> PhotographComparison:
    """Hash the files that the catalog names, and compare with what the run has seen.

    Args:
        run: A run that was read.
        max_bytes: How much is read at most; beyond it an even sample of the photographs is.

    Returns:
        How many were compared, and which have changed.
    """
    catalog = run.catalog.sort("image_id")
    sizes = [_size(path) for path in catalog["path"]]
    there = pl.Series([size is not None for size in sizes], dtype=pl.Boolean)
    step = max(1, -(-sum(size or 0 for size in sizes) // max_bytes))
    compared = catalog.filter(there).gather_every(step)
    hashes = content_hashes(compared["path"].to_list())
    changed = compared.filter(compared["content"] != pl.Series(hashes, dtype=pl.String))
    return PhotographComparison(
        photographs=catalog.height,
        compared=compared.height,
        changed=tuple(changed["image_id"]),
        absent=int((~there).sum()),
    )


def _size(path: str | None) -> int | None:
    try:
        return None if path is None else Path(path).stat().st_size
    except (OSError, ValueError):
        return None
