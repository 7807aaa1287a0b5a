"""How much data: AUROC over training positives, and how many more a higher one would take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.sample_size import CurvePanel, sample_size_figure
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import CellKey, RowKey
from melanoscope.runs.reader import Run
from melanoscope.runs.results import RunResults
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.learning_curve import HORIZON, LearningCurve, Needed, learning_curve
from melanoscope.stats.metrics.classification import PRIMARY_METRIC
from melanoscope.stats.nested_draws import FEWEST_SIZES

NAME, TITLE = "sample_size", "How much data"
GAIN = 0.01


@dataclass(frozen=True, kw_only=True)
class SharePoint:
    """One network trained on one share of the training groups.

    Attributes:
        share: Share of the groups.
        positives: Positives trained on, mean over trainings.
        auroc: Mean over draws and folds.
        of_draws: Of each draw the mean over its folds.
    """

    share: float
    positives: float
    auroc: float
    of_draws: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class NetworkCurve:
    """The learning curve of one network.

    Attributes:
        label: Name for readers.
        points: Its results, ascending in size, the whole last.
        asymptote: AUROC with endless data.
        exponent: How fast the curve nears it.
        doubts: What cannot be told from these results.
        needed: Positives that `GAIN` more takes.
        words: The same as a sentence.
        left_out: Shares at which it has not all of its trainings.
    """

    label: str
    points: tuple[SharePoint, ...]
    asymptote: Interval
    exponent: Interval
    doubts: tuple[str, ...]
    needed: Needed
    words: str
    left_out: tuple[float, ...]


def sample_size_section(context: ReportContext) -> Section | None:
    """Fit the learning curve of each complete network; None of a run without shares.

    Args:
        context: The results of the run.

    Returns:
        The section.

    Raises:
        StatisticsError: No network has results at four sizes.
    """
    if not context.shares:
        return None
    networks, panels, failed, why = [], [], {}, StatisticsError("a complete network", "none", "")
    for key in context.predictions:
        try:
            network, curve = _network(context, key)
        except StatisticsError as error:  # of this network: the others stand
            failed[context.label(key)], why = str(error), error
            continue
        networks.append(network)
        panels.append(CurvePanel(key, curve, tuple(one.of_draws for one in network.points)))
    if not networks:
        raise why
    networks.sort(key=lambda network: -network.points[-1].auroc)
    numbers = {"gain": GAIN, "draws": panels[0].curve.results.draws, "networks": networks}
    numbers |= {"failed": failed}
    figure = sample_size_figure(
        panels, context.labels, context.run.target.plural, simulated=context.run.simulated
    )
    content = numbers | {"figure": figure, "horizon": HORIZON, "plural": context.run.target.plural}
    return Section(NAME, TITLE, content, numbers, (figure,))


def _network(context: ReportContext, key: RowKey) -> tuple[NetworkCurve, LearningCurve]:
    runs = [*context.shares, context]
    complete = [one for one in runs if key in one.predictions]
    if len(complete) < FEWEST_SIZES:
        raise StatisticsError(
            f"all trainings at {FEWEST_SIZES} shares or more",
            f"at {len(complete)}",
            "run the same benchmark command again, with --shares",
        )
    draws = min(one.run.configuration.seeds for one in complete)
    auroc = np.stack([_by_draw(one, key, draws) for one in complete], axis=2)
    size = [_mean_positives(one.run, key) for one in complete]
    if not (np.diff(size) > 0).all():
        raise StatisticsError(
            "more training positives at each larger share",
            ", ".join(f"{n:g}" for n in size),
            "use shares further apart, or more photographs",
        )
    by_patients = context.bootstrapped[key].variance(PRIMARY_METRIC)
    curve = learning_curve(size, auroc, shared_error=float(np.sqrt(by_patients)))
    needed = curve.needed(GAIN)
    points = [
        SharePoint(
            share=one.run.configuration.share,
            positives=size[place],
            auroc=float(auroc[:, :, place].mean()),
            of_draws=tuple(auroc[:, :, place].mean(axis=1).tolist()),
        )
        for place, one in enumerate(complete)
    ]
    network = NetworkCurve(
        label=context.label(key),
        points=tuple(points),
        asymptote=curve.asymptote,
        exponent=curve.exponent,
        doubts=curve.doubts,
        needed=needed,
        words=needed.words,
        left_out=tuple(one.run.configuration.share for one in runs if one not in complete),
    )
    return network, curve


def _by_draw(results: RunResults, key: RowKey, draws: int) -> Floats:
    """Return the AUROC of a complete row's cells, shape (draws, folds x repeats).

    A share's seed_index is its draw. All groups can be drawn in one way only: there the trainings
    of other seeds stand for the draws, which vary by the training alone.
    """
    row = results.by_cells.row(*key)
    assert row is not None, key  # noqa: S101 - it has predictions
    cells = row.cells[PRIMARY_METRIC]
    return np.array(
        [[cells[(*split, draw)] for split in sorted(row.keys)] for draw in range(draws)]
    )


def _mean_positives(run: Run, key: RowKey) -> float:
    """Return how many positives the cells of a row were trained on, on average."""
    cells = [cell for cell in run.records if cell.row == key]
    return float(np.mean([_positives(run, cell) for cell in cells]))


def _positives(run: Run, cell: CellKey) -> int:
    recorded = run.records[cell].n_train_positives
    if recorded is not None:
        return recorded
    # A whole run of before does not say, but there all that is not held out was trained on.
    tables = run.predictions, run.validation
    held_out = sum(int(_of_cell(table, cell)["target"].sum()) for table in tables)
    return int(run.catalog["target"].sum()) - held_out


def _of_cell(table: pl.DataFrame, cell: CellKey) -> pl.DataFrame:
    return table.filter(
        backbone=cell.backbone,
        transfer=cell.transfer,
        repeat=cell.repeat,
        fold=cell.fold,
        seed_index=cell.seed_index,
    )
