"""The poster's way of counting beside ours: same predictions, and a run of its protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.headline import archive_auroc
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.runs.files import TEST_FOLD
from melanoscope.runs.reader import Run
from melanoscope.runs.results import RunResults
from melanoscope.stats.cells import mean_over_seeds
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.predictions import CellPredictions
from melanoscope.stats.reference.poster_protocol import hard_metrics, poster_interval, poster_t_test
from melanoscope.stats.subgroups.source_balanced_auroc import within_archive_auroc
from melanoscope.stats.summary import SummaryRow
from melanoscope.transfers import REFERENCES


@dataclass(frozen=True)
class _SamePredictions:
    """The predictions of one network, counted as the poster did and as we do.

    Attributes:
        label: Name for readers.
        as_poster: "AUROC" of rounded predictions with the poster's interval.
        as_ours: AUROC of probabilities, mean over cells.
        difference: `as_poster` minus `as_ours`.
        p_poster: Unpaired one-tailed t-test against the reference transfer on rounded predictions.
        p_ours: Corrected resampled t-test against the reference transfer, after Holm.
    """

    label: str
    as_poster: Interval
    as_ours: float
    difference: float
    p_poster: float | None
    p_ours: float | None


@dataclass(frozen=True)
class _BothProtocols:
    """One network trained under both protocols.

    Attributes:
        label: Name for readers.
        printed: What the poster's protocol would print as AUROC.
        printed_auroc: AUROC of the same probabilities.
        corrected: AUROC of the corrected run, all photographs.
        corrected_poster_mix: AUROC of the corrected run on the poster's mix of archives.
        within: AUROC of the corrected run within archives; None where there is one archive.
        difference: `printed` minus `within` (or `corrected`, where there is one archive).
        inflation: `printed_auroc` minus the same, thus without what rounding takes away.
    """

    label: str
    printed: Interval
    printed_auroc: float
    corrected: Interval
    corrected_poster_mix: float | None
    within: Interval | None
    difference: float
    inflation: float


def protocols_section(context: ReportContext) -> Section:
    """Count this run's networks as the poster did, and set a run of its protocol beside them."""
    counted = [_same_predictions(context, key) for key in context.predictions]
    poster = next((one for one in context.beside if one.run.protocol == "poster"), None)
    beside = [] if poster is None else _both_protocols(context, poster)
    changed = [
        network
        for network in counted
        if network.p_poster is not None
        and network.p_ours is not None
        and (network.p_poster < ALPHA) != (network.p_ours < ALPHA)
    ]
    numbers = {"same_predictions": counted, "beside": beside, "verdicts_that_change": len(changed)}
    about = None if poster is None else _about(poster.run)
    return Section("protocols", "The poster's protocol", {**numbers, "poster": about}, numbers)


def _rounded_auroc(cells: Iterable[CellPredictions]) -> list[float]:
    rounded = {cell.numbers: hard_metrics(cell.target, cell.probability)["auroc"] for cell in cells}
    return list(mean_over_seeds(rounded).values())


def _mean_auroc(cells: Iterable[CellPredictions]) -> float:
    return float(np.mean([auroc(cell.target, cell.probability) for cell in cells]))


def _same_predictions(context: ReportContext, key: RowKey) -> _SamePredictions:
    cells = context.run.cells_of(key)
    rounded = _rounded_auroc(cells)
    as_poster, as_ours = poster_interval(rounded), _mean_auroc(cells)
    p_poster = p_ours = None
    reference = (key[0], REFERENCES.get(key[1], ""))
    comparison = context.summary.comparison(*key, "auroc")
    if comparison is not None and reference in context.predictions:
        p_poster = poster_t_test(rounded, _rounded_auroc(context.run.cells_of(reference))).p_value
        p_ours = comparison.p_holm
    return _SamePredictions(
        label=context.label(key),
        as_poster=as_poster,
        as_ours=as_ours,
        difference=as_poster.estimate - as_ours,
        p_poster=p_poster,
        p_ours=p_ours,
    )


def _both_protocols(context: ReportContext, poster: RunResults) -> list[_BothProtocols]:
    networks = [
        _network(context, poster.run, row)
        for row in poster.summary.rows
        if row.complete and (row.backbone, row.transfer) in context.predictions
    ]
    return sorted(filter(None, networks), key=lambda network: -network.printed.estimate)


def _network(context: ReportContext, poster: Run, row: SummaryRow) -> _BothProtocols | None:
    """Set a network of both runs beside itself; None where this run's has no interval."""
    key = (row.backbone, row.transfer)
    predictions = context.predictions[key]
    archive = context.column("dataset")[predictions.image_index]
    within = None
    if len(set(archive)) > 1:
        within = within_archive_auroc(predictions, archive, context.design(key).factor)
    printed, printed_auroc = row.intervals["auroc"], _mean_auroc(poster.cells_of(key))
    corrected = context.primary(key)
    if corrected is None:
        return None
    honest = (within or corrected).estimate
    return _BothProtocols(
        label=context.label(key),
        printed=printed,
        printed_auroc=printed_auroc,
        corrected=corrected,
        corrected_poster_mix=_auroc_on_poster_mix(context, key),
        within=within,
        difference=printed.estimate - honest,
        inflation=printed_auroc - honest,
    )


def _auroc_on_poster_mix(context: ReportContext, key: RowKey) -> float | None:
    """Return the AUROC on ISIC 2020 and the melanomas of ISIC 2019 only, mean over folds."""
    predictions = context.predictions[key]
    archive = context.column("dataset")[predictions.image_index]
    mixed = (archive == "isic2020") | ((archive == "isic2019") & (predictions.target == 1))
    if not mixed.any() or mixed.all():
        return None
    mix = predictions.where(mixed)
    try:
        folds = [mix.where(mix.fold_id == fold_id) for fold_id in mix.fold_ids]
        return float(np.mean([auroc(fold.target, fold.probability) for fold in folds]))
    except StatisticsError:
        return None


def _about(poster: Run) -> dict[str, object]:
    """Say of a run of the poster's protocol what a reader must know of it."""
    tested = pl.col("fold_r0") == TEST_FOLD
    in_test, in_training = poster.catalog.filter(tested), poster.catalog.filter(~tested)
    leaked = in_test.filter(pl.col("group_id").is_in(in_training["group_id"].unique().to_list()))
    return {
        "photographs": poster.catalog.height,
        "positives": int(poster.catalog["target"].sum()),
        "tested": in_test.height,
        "leaked": leaked.height,
        "sources": [source.title for source in poster.record.data.sources],
        "archive_auroc": archive_auroc(poster),
    }
