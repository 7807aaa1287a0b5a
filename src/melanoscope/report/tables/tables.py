"""Tables (a) to (d), one per kind of transfer, each from worst to best AUROC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

from melanoscope.report.protocol_words import ProtocolWords, words_of
from melanoscope.stats.comparison import Comparison
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.reference.physicians import PHYSICIANS, Physicians
from melanoscope.stats.summary import Summary, SummaryRow
from melanoscope.target import MELANOMA, Target
from melanoscope.transfers import TRANSFER_TITLES, TRANSFERS

if TYPE_CHECKING:
    from melanoscope.runs.record_schema import Skipped

NAMES = {
    "accuracy": "Accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "f1": "F1",
    "balanced_accuracy": "Balanced accuracy",
}
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class MetricValue:
    """One metric of one row of a table.

    Attributes:
        estimate: Mean over folds.
        interval: Its 95 % interval; None with a single fold.
        comparison: The test against the reference transfer; None where nothing can be compared.
    """

    estimate: float
    interval: Interval | None
    comparison: Comparison | None = None

    @property
    def stars(self) -> str:
        """Stars of the comparison."""
        return self.comparison.stars if self.comparison else ""


@dataclass(frozen=True)
class TableRow:
    """One row of a table: a network, or physicians.

    Attributes:
        label: Name for readers.
        values: Metric -> value; physicians have AUROC only, networks without results nothing.
        backbone: Name of the backbone; empty for physicians.
        finished: Number of cells that are there.
        planned: Number of cells that should be there; 0 for physicians.
        above: "dermatologists", "gp" or "": whom the AUROC is significantly above.
        physicians: The physicians; None for a network.
        prevalence: Share of positives among tested photographs, NaN where not known.
        cells: (repeat, fold, seed_index) of the cells that have numbers.
        failed: Why finished cells have none, a line each.
    """

    label: str
    values: dict[str, MetricValue]
    backbone: str = ""
    finished: int = 0
    planned: int = 0
    above: str = ""
    physicians: Physicians | None = None
    prevalence: float = field(default=float("nan"), compare=False)
    cells: tuple[tuple[int, int, int], ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def unfinished(self) -> str:
        """What is missing, in words; empty where all cells are there."""
        if self.failed:
            return f"no numbers of {len(self.failed)} of {self.planned} cells"
        if self.finished == self.planned:
            return ""
        return f"unfinished: {self.finished} of {self.planned} cells"


@dataclass(frozen=True)
class Table:
    """One table of the report, as the poster's Table 1.

    Attributes:
        letter: "a" to "d".
        transfer: Kind of transfer of all its networks.
        rows: Rows from worst to best AUROC; networks without any result last.
        prevalence: Share of positives, the level of AUPRC without skill; NaN without results.
        skipped: (label, why) of networks that were not run with this transfer.
        simulated: Whether the photographs are simulated.
        target: What the networks look for.
        protocol: "corrected" or "poster".
    """

    letter: str
    transfer: str
    rows: tuple[TableRow, ...]
    prevalence: float
    skipped: tuple[tuple[str, str], ...]
    simulated: bool
    target: Target = MELANOMA
    protocol: str = "corrected"

    @property
    def words(self) -> ProtocolWords:
        """How its intervals and tests are spoken of."""
        return words_of(self.protocol)

    @property
    def beside_physicians(self) -> bool:
        """Whether physicians have a row."""
        return any(row.physicians for row in self.rows)

    @property
    def failed(self) -> list[tuple[str, str]]:
        """(label, why) of each finished cell that has no numbers."""
        return [(row.label, why) for row in self.rows for why in row.failed]

    @property
    def title(self) -> str:
        """The transfer in words."""
        return TRANSFER_TITLES[self.transfer]


def signed(value: float) -> str:
    """Write a difference with its sign; a true minus, and no sign on zero.

    >>> signed(0.0314), signed(-0.2) == MINUS + "0.200", signed(-0.0001)
    ('+0.031', True, '0.000')
    """
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", MINUS)


def bounds(interval: Interval) -> str:
    """Write the bounds of a difference; a plus sign would only add noise.

    >>> bounds(Interval(estimate=0.02, low=0.01, high=0.03, standard_error=0.005, n=5, method=""))
    '0.010 to 0.030'
    """
    return f"{interval.low:.3f} to {interval.high:.3f}".replace("-", MINUS)


def make_tables(
    summary: Summary,
    *,
    labels: Mapping[str, str],
    skipped: Sequence[Skipped] = (),
    simulated: bool = False,
    target: Target = MELANOMA,
    physicians: bool = True,
    protocol: str = "corrected",
) -> tuple[Table, ...]:
    """Arrange a `summary` as tables, one per transfer that was planned or skipped.

    Args:
        summary: Rows and comparisons of a run.
        labels: Backbone -> its name for readers.
        skipped: Networks that the run left out.
        simulated: Whether the photographs are simulated.
        target: What the networks look for.
        physicians: Whether physicians get a row each, as those who looked for melanoma.
        protocol: "corrected" or "poster", by which intervals and tests are spoken of.

    Returns:
        The tables, each from worst to best AUROC.
    """
    tables = []
    for transfer, letter in zip(TRANSFERS, "abcd", strict=True):
        networks = [row for row in summary.rows if row.transfer == transfer]
        left_out = tuple(
            (labels.get(entry.backbone, entry.backbone), entry.why)
            for entry in skipped
            if entry.transfer == transfer
        )
        if not networks and not left_out:
            continue
        rows = [_network_row(row, summary, labels) for row in networks]
        rows += [_physicians_row(who) for who in PHYSICIANS if physicians]
        # Unfinished rows were tested on fewer photographs: a complete one has the true prevalence.
        known = sorted(
            (r for r in networks if not isnan(r.prevalence)), key=lambda r: not r.complete
        )
        tables.append(
            Table(
                letter=letter,
                transfer=transfer,
                rows=tuple(sorted(rows, key=_worst_first)),
                prevalence=known[0].prevalence if known else float("nan"),
                skipped=left_out,
                simulated=simulated,
                target=target,
                protocol=protocol,
            )
        )
    return tuple(tables)


def _worst_first(row: TableRow) -> tuple[float, str]:
    value = row.values.get("auroc")
    return (value.estimate if value else float("inf"), row.label)


def _network_row(row: SummaryRow, summary: Summary, labels: Mapping[str, str]) -> TableRow:
    values = {
        metric: MetricValue(
            estimate=row.estimate(metric),
            interval=row.intervals.get(metric),
            comparison=summary.comparison(row.backbone, row.transfer, metric),
        )
        for metric in (METRICS if row.keys else ())
    }
    above = [who.key for who in PHYSICIANS if row.above.get(who.key, 1.0) < ALPHA]
    return TableRow(
        label=labels.get(row.backbone, row.backbone),
        values=values,
        backbone=row.backbone,
        finished=row.finished,
        planned=row.planned,
        above=above[-1] if above else "",
        prevalence=row.prevalence,
        cells=tuple(row.cells["auroc"]),
        failed=failures(row),
    )


def failures(row: SummaryRow) -> tuple[str, ...]:
    """Say of each finished cell of a `row` without numbers why it has none."""
    return tuple(
        f"repeat {r}, fold {f}{f', seed {s}' if s else ''}: {why}"
        for (r, f, s), why in row.failed.items()
    )


def _physicians_row(physicians: Physicians) -> TableRow:
    return TableRow(
        label=physicians.label,
        values={"auroc": MetricValue(physicians.auroc.estimate, physicians.auroc)},
        physicians=physicians,
    )
