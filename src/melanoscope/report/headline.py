"""The headline of a run: the best network and the effect of transfer, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from melanoscope.report.tables.tables import ALPHA, bounds, signed
from melanoscope.runs.results import best_row
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.reference.physicians import PHYSICIANS
from melanoscope.stats.subgroups.source_balanced_auroc import archive_only_auroc
from melanoscope.stats.summary import Summary, SummaryRow

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext
    from melanoscope.runs.reader import Run

_ACTS = {
    "finetune": "Fine-tuning ImageNet weights",
    "frozen": "Training only a head on frozen ImageNet weights",
}
_HOW = {
    "scratch": "trained from scratch",
    "finetune": "fine-tuned",
    "frozen": "backbone frozen",
    "image_only": "fine-tuned on the photograph alone",
}


@dataclass(frozen=True)
class BestNetwork:
    """The best network of a run, in words.

    Attributes:
        label: Name for readers.
        how: How it was begun and trained.
        auroc: Mean AUROC over its cells, with three decimals.
        interval: Bounds of the AUROC's interval; empty with a single cell.
        physicians: Sentence that compares it with physicians; empty where there is no comparison.
        among: Number of complete rows that it was picked from.
    """

    label: str
    how: str
    auroc: str
    interval: str
    physicians: str
    among: int


@dataclass(frozen=True)
class Effect:
    """Effect of one transfer on AUROC, on average over networks.

    Attributes:
        transfer: "finetune" or "frozen".
        act: The transfer as the subject of a sentence.
        difference: Mean AUROC difference from training from scratch, signed.
        interval: Bounds of the difference's interval.
        verdict: "helps", "hurts" or "unclear" by the interval; "probably" by the one-sided test alone.
        better: Number of networks that are significantly better after Holm's adjustment.
        compared: Number of networks compared.
    """

    transfer: str
    act: str
    difference: str
    interval: str
    verdict: str
    better: int
    compared: int

    @property
    def sentence(self) -> str:
        """The effect in one sentence."""
        size = self.difference.lstrip("+\N{MINUS SIGN}")
        return {
            "helps": f"{self.act} raises AUROC by {size} on average.",
            "probably": f"{self.act} probably raises AUROC, by {size} on average.",
            "hurts": f"{self.act} lowers AUROC by {size} on average.",
            "unclear": f"{self.act} makes no difference to AUROC that this run can show.",
        }[self.verdict]


def best_network(context: ReportContext) -> BestNetwork | None:
    """Describe the best network; None without a complete row."""
    row = best_row(context.summary.rows)
    if row is None:
        return None
    interval = row.intervals.get("auroc")
    return BestNetwork(
        label=context.labels.get(row.backbone, row.backbone),
        how=_HOW[row.transfer],
        auroc=f"{row.estimate('auroc'):.3f}",
        interval=_range(interval) if interval else "",
        physicians=_against_physicians(row),
        among=len(context.predictions),
    )


def _range(interval: Interval) -> str:
    """Write the bounds of an AUROC within 0..1, which a t interval over few folds may leave."""
    return f"{max(interval.low, 0):.3f} to {min(interval.high, 1):.3f}"


def _against_physicians(row: SummaryRow) -> str:
    if not row.above:
        return ""
    names: dict[bool, list[str]] = {True: [], False: []}
    for group in PHYSICIANS:
        above = row.above[group.key] < ALPHA
        names[above].append(f"{group.label.lower()} ({group.auroc.estimate:.2f})")
    clauses = []
    if names[True]:
        clauses.append(f"significantly above published {' and '.join(names[True])}")
    if names[False]:
        published = "" if names[True] else "published "
        clauses.append(f"not significantly above {published}{' or '.join(names[False])}")
    text = ", ".join([*clauses, "who judged other lesions"])
    return f"{text[0].upper()}{text[1:]}."


def effects(summary: Summary) -> list[Effect]:
    """Describe the effect of each transfer that networks were compared by, fine-tuning first."""
    found = []
    for transfer, act in _ACTS.items():
        if transfer not in summary.overall:
            continue
        test = summary.overall[transfer]
        compared = [c for c in summary.comparisons if c.transfer == transfer]
        compared = [c for c in compared if c.metric == "auroc"]
        found.append(
            Effect(
                transfer=transfer,
                act=act,
                difference=signed(test.difference.estimate),
                interval=bounds(test.difference),
                verdict=_verdict(test),
                better=sum(1 for c in compared if c.stars),
                compared=len(compared),
            )
        )
    return found


def _verdict(test: PairedTest) -> str:
    if test.difference.low > 0:
        return "helps"
    if test.difference.high < 0:
        return "hurts"
    return "probably" if test.p_value < ALPHA else "unclear"


@dataclass(frozen=True)
class Archive:
    """Number of photographs, and of melanomas among them, of one archive."""

    name: str
    photographs: int
    melanomas: int


def archives(run: Run) -> list[Archive]:
    """Count the photographs of each archive that took part in a `run`, the largest first."""
    table = (
        run.catalog.group_by("dataset")
        .agg(pl.len().alias("n"), pl.col("target").cast(pl.Int64).sum().alias("m"))
        .sort("n", "dataset", descending=[True, False])
    )
    titles = {source["kind"]: source["title"] for source in run.record["data"]["sources"]}
    return [Archive(titles.get(d, str(d)), int(n), int(m)) for d, n, m in table.iter_rows()]


def archive_auroc(run: Run) -> float | None:
    """Return the AUROC of guessing each photograph of a `run` by its archive; None with one."""
    if run.catalog["dataset"].n_unique() < 2:
        return None
    return archive_only_auroc(run.catalog["target"].to_numpy(), run.catalog["dataset"].to_numpy())
