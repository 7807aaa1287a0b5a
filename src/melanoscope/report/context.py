"""A run's results with what several sections of the report need beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from melanoscope.runs.photographs import PhotographComparison, compare_photographs
from melanoscope.runs.results import PREVALENCE, RunResults
from melanoscope.runs.shares import read_shares
from melanoscope.transfers import TRANSFER_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from melanoscope.report.external import ExternalResult
    from melanoscope.runs.cell import RowKey


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportContext(RunResults):
    """The results of a run, with words for readers and other runs to set beside them.

    Attributes:
        run: The run.
        replicates: Number of replicates of each bootstrap.
        labels: Backbone -> its name for readers.
        beside: Results of runs to set beside this one, of the poster's protocol for example.
        external: Results of the run's networks on other archives.
        prevalence: Share of positives, 0..1, at which predictive values are to be given; None for
            the one that `assumed_prevalence` chooses.
    """

    labels: Mapping[str, str]
    beside: tuple[RunResults, ...] = ()
    external: tuple[ExternalResult, ...] = ()
    prevalence: float | None = None

    @property
    def assumed_prevalence(self) -> float:
        """Share of positives at which predictive values are given."""
        if self.prevalence is not None:
            return self.prevalence
        if self.as_published:
            return PREVALENCE
        # Nobody has stated how common other targets are.
        return float(self.run.catalog["target"].to_numpy().mean())

    @cached_property
    def photographs(self) -> PhotographComparison:
        """Whether the photographs are still those of the run."""
        return compare_photographs(self.run)

    @cached_property
    def shares(self) -> tuple[RunResults, ...]:
        """Results on shares of the training groups, ascending, without the whole."""
        return tuple(RunResults(run=one) for one in read_shares(self.run))

    def label(self, key: RowKey) -> str:
        """Name a row, of a backbone and a transfer, for readers."""
        return f"{self.labels.get(key[0], key[0])}, {TRANSFER_NAMES[key[1]]}"

    def column(self, name: str) -> NDArray[np.object_]:
        """Return the catalog's column `name`, shape (n,); `Predictions.image_index` indexes it."""
        return self.run.catalog[name].to_numpy(allow_copy=True)
