"""Tables (a) to (d), one per arm, each from worst to best AUROC."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from melanoscope.stats.intervals.corrected_t import Interval
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.reference.physicians import PHYSICIANS, Physicians

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from melanoscope.stats.summary import Comparison, Summary, SummaryRow

NAMES = {
    "accuracy": "Accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "f1": "F1",
    "balanced_accuracy": "Balanced accuracy",
}
TITLES = {
    "scratch": "Trained from scratch",
    "finetune": "Transfer learning, all layers fine-tuned",
    "frozen": "Transfer learning, backbone frozen",
    "image_only": "Fine-tuned, photograph alone",
}
LETTERS = {"scratch": "a", "finetune": "b", "frozen": "c", "image_only": "d"}
ALPHA = 0.05
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Value:
    """One cell of a table.

    Attributes:
        estimate: Mean over folds.
        interval: Its 95 % interval, or None with a single fold.
        comparison: Against the arm's reference, or None where there is nothing to compare.
    """

    estimate: float
    interval: Interval | None
    comparison: Comparison | None = None

    @property
    def stars(self) -> str:
        """Stars of the comparison."""
        return self.comparison.stars if self.comparison else ""

    @property
    def text(self) -> str:
        """Three decimals, with half the interval's width.

        >>> Value(0.9314, Interval(0.9314, 0.9262, 0.9366, 0.002, 5, "")).text
        '0.931 ± 0.005'
        """
        half = f" ± {self.interval.half_width:.3f}" if self.interval else ""
        return f"{self.estimate:.3f}{half}"

    @property
    def effect(self) -> str:
        """Difference from the reference with its interval, or nothing."""
        if not self.comparison:
            return ""
        d = self.comparison.test.difference
        return f"{signed(d.estimate)} ({bounds(d)})"


@dataclass(frozen=True)
class Line:
    """One line of a table: a network, or physicians.

    Attributes:
        label: Name for readers.
        values: Metric -> value; physicians have AUROC only.
        backbone: Name of the backbone, empty for physicians.
        finished: Cells that are there.
        planned: Cells that should be there; 0 for physicians.
        above: "dermatologists", "gp" or "": whom the AUROC is significantly above.
        physicians: The physicians, or None.
        prevalence: Share of melanomas among tested photographs, NaN where not known.
    """

    label: str
    values: dict[str, Value]
    backbone: str = ""
    finished: int = 0
    planned: int = 0
    above: str = ""
    physicians: Physicians | None = None
    prevalence: float = field(default=float("nan"), compare=False)

    @property
    def published(self) -> str:
        """AUROC of physicians as it was published, or nothing."""
        who = self.physicians
        return f"{who.auroc:.2f} ({who.low:.2f} to {who.high:.2f})" if who else ""

    @property
    def unfinished(self) -> str:
        """What is missing, in words, or nothing."""
        done = self.finished == self.planned
        return "" if done else f"unfinished: {self.finished} of {self.planned} cells"


@dataclass(frozen=True)
class Table:
    """One table of the poster.

    Attributes:
        letter: "a" to "d".
        transfer: The arm.
        title: What the arm is.
        lines: Worst to best AUROC; networks without any result last.
        prevalence: Share of melanomas, the level of AUPRC without skill; NaN without results.
        skipped: (label, why) of networks that were not run in this arm.
        simulated: Whether the data says nothing about skin.
    """

    letter: str
    transfer: str
    title: str
    lines: tuple[Line, ...]
    prevalence: float
    skipped: tuple[tuple[str, str], ...]
    simulated: bool


def signed(value: float) -> str:
    """Write a difference with its sign; a true minus, and no sign on zero.

    >>> signed(0.0314), signed(-0.2) == MINUS + "0.200", signed(-0.0001)
    ('+0.031', True, '0.000')
    """
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", MINUS)


def bounds(interval: Interval) -> str:
    """Write the bounds of a difference; a plus sign would only add noise.

    >>> bounds(Interval(0.02, 0.01, 0.03, 0.005, 5, ""))
    '0.010 to 0.030'
    """
    return f"{interval.low:.3f} to {interval.high:.3f}".replace("-", MINUS)


def make_tables(
    summary: Summary,
    *,
    labels: Mapping[str, str],
    skipped: Sequence[Mapping[str, Any]] = (),
    simulated: bool = False,
) -> tuple[Table, ...]:
    """Arrange a summary as tables, one per arm that was planned or skipped.

    Args:
        summary: Rows and comparisons.
        labels: Backbone -> name for readers; a missing one is shown by its own name.
        skipped: Entries with backbone, transfer and why.
        simulated: Whether the data says nothing about skin.
    """
    tables = []
    for transfer, letter in LETTERS.items():
        rows = [row for row in summary.rows if row.transfer == transfer]
        left_out = tuple(
            (labels.get(s["backbone"], s["backbone"]), str(s["why"]))
            for s in skipped
            if s["transfer"] == transfer
        )
        if not rows and not left_out:
            continue
        lines = [_network(row, summary, labels) for row in rows]
        lines += [_physicians(who) for who in PHYSICIANS]
        lines.sort(key=_worst_first)
        known = [row.prevalence for row in rows if row.complete] or [r.prevalence for r in rows]
        prevalence = next((p for p in known if not isnan(p)), float("nan"))
        tables.append(
            Table(letter, transfer, TITLES[transfer], tuple(lines), prevalence, left_out, simulated)
        )
    return tuple(tables)


def _worst_first(line: Line) -> tuple[float, str]:
    value = line.values.get("auroc")
    return (value.estimate if value else float("inf"), line.label)


def _network(row: SummaryRow, summary: Summary, labels: Mapping[str, str]) -> Line:
    values = {}
    if row.keys:
        values = {
            metric: Value(
                row.estimate(metric),
                row.intervals.get(metric),
                summary.comparison(row.backbone, row.transfer, metric),
            )
            for metric in METRICS
        }
    above = [who.key for who in PHYSICIANS if row.above.get(who.key, 1.0) < ALPHA]
    return Line(
        labels.get(row.backbone, row.backbone),
        values,
        row.backbone,
        len(row.keys),
        row.planned,
        above[-1] if above else "",
        prevalence=row.prevalence,
    )


def _physicians(who: Physicians) -> Line:
    published = Interval(
        who.auroc, who.low, who.high, who.standard_error, who.studies, "meta-analysis"
    )
    return Line(who.label, {"auroc": Value(who.auroc, published)}, physicians=who)
