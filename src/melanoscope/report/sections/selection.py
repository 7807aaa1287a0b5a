"""Which network: the best, those that cannot be told from it, and the smallest that will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.models.backbones import REGISTRY
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.distances import distances_figure
from melanoscope.report.sections.section import Section, plain
from melanoscope.runs.cell import RowKey
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.auroc_interval import auroc_degrees_of_freedom
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.selection.best import DistanceToBest, compare_with_best
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences
from melanoscope.stats.selection.power import POWER, groups_to_tell, smallest_told
from melanoscope.stats.selection.winner import winners_flattery

NAME, TITLE = "selection", "Which network"
_BYTES = 4  # of a parameter in full precision
_POSTER = (
    "the poster's protocol trains the network of one fold on from that of the one before and tests "
    "all of them on the same photographs, so that the error of a difference between two networks "
    "is not known"
)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network beside the best of the others.

    Attributes:
        label: Name for readers.
        auroc: AUROC, mean over folds.
        distance: Its AUROC minus the largest of the others, with the simultaneous interval.
        may_be_best: Whether it cannot be told from the best.
        non_inferior: Whether it is shown to be within the margin of the best.
        parameters: Number of parameters of its backbone; None where the registry has none.
        megabytes: Their size in full precision; None likewise.
    """

    label: str
    auroc: float
    distance: Interval
    may_be_best: bool
    non_inferior: bool
    parameters: int | None
    megabytes: float | None


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The choice among the networks of a run.

    Attributes:
        candidates: All networks that were compared, the largest AUROC first.
        smallest: Label of the smallest network shown to be within the margin; None without one.
        margin: Loss of AUROC that does not matter.
        flattery: By how much the largest AUROC is too large for having been picked.
        smallest_told: How far behind a network has to be to be told from the best: of the one most
            like it, and of the one least like it.
        groups: Number of groups that were resampled.
        groups_needed: Number that would tell half of the others from the best if they were behind
            by `margin`.
        power: Chance that it would.
        left_out: Label of each network that was not compared -> why.
    """

    candidates: tuple[Candidate, ...]
    smallest: str | None
    margin: float
    flattery: float
    smallest_told: tuple[float, float]
    groups: int
    groups_needed: float
    power: float
    left_out: dict[str, str]

    @property
    def best(self) -> Candidate:
        """The network with the largest AUROC."""
        return self.candidates[0]

    @property
    def may_be_best(self) -> list[str]:
        """Labels of the networks that cannot be told from the best, the largest AUROC first."""
        return [one.label for one in self.candidates if one.may_be_best]

    @property
    def smallest_candidate(self) -> Candidate | None:
        """The smallest network shown to be within the margin."""
        return next((one for one in self.candidates if one.label == self.smallest), None)


def selection_section(context: ReportContext) -> Section | None:
    """Compare each complete network with the best of the others; None where one was planned."""
    if len(context.run.planned) < 2 or not context.predictions:
        return None
    if context.run.protocol == "poster":
        return Section(NAME, TITLE, {}, missing=_POSTER)
    selection = _select(context)
    figure = distances_figure(selection.candidates, MARGIN, simulated=context.run.simulated)
    numbers = {"best": selection.best.label, "may_be_best": selection.may_be_best}
    numbers |= plain(selection)
    return Section(NAME, TITLE, {"selection": selection}, numbers, (figure,))


def _select(context: ReportContext) -> Selection:
    resampled = context.bootstrapped
    left_out = _left_out(context)
    keys = [key for key in resampled if context.label(key) not in left_out]
    if len(keys) < 2:
        raise StatisticsError(
            "two finished networks to compare", str(len(keys)), "finish the others of this run"
        )
    values = np.array([_fold_results(context, key) for key in keys])
    # The first of the largest is the best, as `best_row` has it.
    order = np.argsort(-values.mean(axis=1), kind="stable")
    keys, values = [keys[i] for i in order], values[order]
    replicates = np.stack([resampled[key].replicates["auroc"] for key in keys])
    differences = _differences(context, keys, values, replicates)
    groups = resampled[keys[0]].n_groups
    told = smallest_told(differences, 0)
    distances = compare_with_best(differences, n=groups)
    candidates = tuple(map(partial(_candidate, context), keys, values, distances))
    return Selection(
        candidates=candidates,
        smallest=_smallest(candidates),
        margin=MARGIN,
        flattery=winners_flattery(values.mean(axis=1), replicates, differences),
        smallest_told=(float(told.min()), float(told.max())),
        groups=groups,
        groups_needed=groups_to_tell(differences, 0, groups),
        power=POWER,
        left_out=left_out,
    )


def _candidate(
    context: ReportContext, key: RowKey, values: Floats, distance: DistanceToBest
) -> Candidate:
    parameters = REGISTRY[key[0]].parameters if key[0] in REGISTRY else None
    return Candidate(
        label=context.label(key),
        auroc=float(values.mean()),
        distance=distance.interval,
        may_be_best=distance.may_be_best,
        non_inferior=distance.non_inferior,
        parameters=parameters,
        megabytes=None if parameters is None else _BYTES * parameters / 1e6,
    )


def _left_out(context: ReportContext) -> dict[str, str]:
    """Say of each network without a comparable result why it has none."""
    found = {}
    for row in context.summary.rows:
        key = (row.backbone, row.transfer)
        if not row.complete:
            found[context.label(key)] = f"{len(row.keys)} of {row.planned} cells have numbers"
        elif not np.isfinite(context.bootstrapped[key].replicates["auroc"]).any():
            found[context.label(key)] = str(context.measured[key]["auroc"])
    return found


def _fold_results(context: ReportContext, key: RowKey) -> tuple[float, ...]:
    row = context.summary.row(*key)
    assert row is not None, key  # noqa: S101 - what was resampled has a row
    return row.values["auroc"]


def _differences(
    context: ReportContext, keys: Sequence[RowKey], values: Floats, replicates: Floats
) -> PairedDifferences:
    design = context.design(keys[0])
    return paired_differences(
        values,
        replicates,
        folds=design.folds,
        n_train=design.n_train,
        n_test=design.n_test,
        # The error of a difference is known no better than the worse of its two.
        degrees_of_freedom=min(auroc_degrees_of_freedom(context.predictions[key]) for key in keys),
    )


def _smallest(candidates: Sequence[Candidate]) -> str | None:
    """Name the network of fewest parameters within the margin; of equal ones the better."""
    within = [one for one in candidates if one.non_inferior and one.parameters is not None]
    return min(within, key=lambda one: one.parameters or 0).label if within else None
