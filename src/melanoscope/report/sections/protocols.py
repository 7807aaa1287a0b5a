"""The poster's way of counting beside ours: same predictions, and a run of its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.headline import archive_auroc
from melanoscope.report.sections.section import Section
from melanoscope.runs.files import TEST_FOLD
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.reference.poster_protocol import hard_metrics, poster_interval, poster_t_test
from melanoscope.stats.subgroups.source_balanced_auroc import within_archive_auroc
from melanoscope.stats.summary import REFERENCES

if TYPE_CHECKING:
    from melanoscope.runs.cell import RowKey
    from melanoscope.runs.reader import Run
    from melanoscope.runs.results import RunResults
    from melanoscope.stats.intervals.interval import Interval
    from melanoscope.stats.summary import CellPredictions


@dataclass(frozen=True)
class Counted:
    """One network of one run, counted both ways.

    Attributes:
        label: Name for readers.
        as_poster: "AUROC" of rounded predictions with the poster's interval.
        as_ours: AUROC of probabilities, mean over cells.
        difference: as_poster - as_ours.
        p_poster: One-tailed unpaired t-test against the reference arm, on rounded predictions; None
            where there is no reference.
        p_ours: Corrected resampled t-test after Holm; None likewise.
    """

    label: str
    as_poster: Interval
    as_ours: float
    difference: float
    p_poster: float | None
    p_ours: float | None


@dataclass(frozen=True)
class Beside:
    """One network under both protocols.

    Attributes:
        label: Name for readers.
        printed: What the poster's protocol would print as AUROC.
        printed_auroc: AUROC of the same probabilities.
        corrected: AUROC of the corrected run, all photographs.
        corrected_poster_mix: On the photographs of the poster's mix only; None where it has none.
        within: Photographs of one archive only are compared, corrected run.
        difference: printed - within (or corrected, where there is one archive).
        inflation: printed_auroc - within likewise: what division by photograph, the mix of archives
            and networks that go on from fold to fold add, without the rounding that takes away.
    """

    label: str
    printed: Interval
    printed_auroc: float
    corrected: Interval
    corrected_poster_mix: float | None
    within: Interval | None
    difference: float
    inflation: float


def protocols(study: ReportContext) -> Section | None:
    """Count this run's networks as the poster did, and set a run of its protocol beside them."""
    counted = [_counted(study, key) for key in study.predictions]
    poster = next((one for one in study.beside if one.run.protocol == "poster"), None)
    besides = [] if poster is None else _besides(study, poster)
    if not counted and not besides:
        return None
    changed = sum(
        1
        for one in counted
        if one.p_poster is not None
        and one.p_ours is not None
        and (one.p_poster < study.alpha) != (one.p_ours < study.alpha)
    )
    numbers = {"same_predictions": counted, "beside": besides, "verdicts_that_change": changed}
    about = None if poster is None else _about(poster.run)
    return Section("protocols", "The poster's protocol", {**numbers, "poster": about}, numbers)


def _cells(run: Run, key: RowKey) -> list[CellPredictions]:
    cells = [cell for cell in run.cells if (cell.backbone, cell.transfer) == key]
    return sorted(cells, key=lambda cell: (cell.repeat, cell.fold))


def _rounded(cells: list[CellPredictions]) -> list[float]:
    return [hard_metrics(cell.target, cell.probability)["auroc"] for cell in cells]


def _counted(study: ReportContext, key: RowKey) -> Counted:
    cells = _cells(study.run, key)
    rounded = _rounded(cells)
    as_poster = poster_interval(rounded)
    as_ours = float(np.mean([auroc(c.target, c.probability) for c in cells]))
    p_poster = p_ours = None
    reference = (key[0], REFERENCES.get(key[1], ""))
    comparison = study.summary.comparison(*key, "auroc")
    if comparison is not None and reference in study.predictions:
        p_poster = poster_t_test(rounded, _rounded(_cells(study.run, reference))).p_value
        p_ours = comparison.p_holm
    return Counted(
        study.label(key), as_poster, as_ours, as_poster.estimate - as_ours, p_poster, p_ours
    )


def _besides(study: ReportContext, poster: RunResults) -> list[Beside]:
    found = []
    for row in poster.summary.rows:
        key = (row.backbone, row.transfer)
        if not row.complete or key not in study.predictions:
            continue
        one = study.predictions[key]
        archive = study.column("dataset")[one.photograph]
        within = None
        if len(set(archive)) > 1:
            within = within_archive_auroc(one, study.weights, archive)
        true = [auroc(c.target, c.probability) for c in _cells(poster.run, key)]
        printed = row.intervals["auroc"]
        corrected = study.bootstrapped[key].interval("auroc")
        found.append(
            Beside(
                study.label(key),
                printed,
                float(np.mean(true)),
                corrected,
                _on_poster_mix(study, key),
                within,
                printed.estimate - (within or corrected).estimate,
                float(np.mean(true)) - (within or corrected).estimate,
            )
        )
    return sorted(found, key=lambda one: -one.printed.estimate)


def _on_poster_mix(study: ReportContext, key: RowKey) -> float | None:
    """AUROC on ISIC 2020 and the melanomas of ISIC 2019 only, mean over parts."""
    one = study.predictions[key]
    archive = study.column("dataset")[one.photograph]
    mixed = (archive == "isic2020") | ((archive == "isic2019") & (one.target == 1))
    if not mixed.any() or mixed.all():
        return None
    chosen = one.where(mixed)
    try:
        parts = [chosen.part == part for part in chosen.parts]
        return float(np.mean([auroc(chosen.target[m], chosen.probability[m]) for m in parts]))
    except StatisticsError:
        return None


def _about(poster: Run) -> dict[str, object]:
    """Say of a run what a reader must know of it."""
    tested = pl.col("fold_r0") == TEST_FOLD
    in_test, in_training = poster.catalog.filter(tested), poster.catalog.filter(~tested)
    leaked = in_test.filter(pl.col("group_id").is_in(in_training["group_id"].unique().to_list()))
    return {
        "photographs": poster.catalog.height,
        "melanomas": int(poster.catalog["target"].sum()),
        "tested": in_test.height,
        "leaked": leaked.height,
        "sources": [source["title"] for source in poster.record["data"]["sources"]],
        "archive_auroc": archive_auroc(poster),
    }
