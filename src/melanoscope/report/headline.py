"""The answers of a run in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from melanoscope.report.tables.tables import ALPHA, bounds, signed
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.reference.physicians import PHYSICIANS
from melanoscope.stats.subgroups.source_balanced_auroc import archive_only_auroc
from melanoscope.stats.summary import Summary, SummaryRow

if TYPE_CHECKING:
    from collections.abc import Mapping

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
class Best:
    """The complete network with the highest AUROC.

    Attributes:
        label: Name for readers.
        how: Its arm, in words.
        auroc: Estimate, three decimals.
        interval: Bounds in words, or nothing with a single fold.
        physicians: How it stands to physicians, in words, or nothing.
        among: How many complete rows it was picked from.
    """

    label: str
    how: str
    auroc: str
    interval: str
    physicians: str
    among: int


@dataclass(frozen=True)
class Effect:
    """What one arm changes, on average over networks.

    Attributes:
        arm: "finetune" or "frozen".
        act: The arm as the subject of a sentence.
        difference: Mean AUROC difference, signed.
        interval: Bounds in words.
        verdict: "helps" or "hurts" where the interval lies above or below 0; "probably" where it
            reaches 0 and the one-sided test is significant all the same; else "unclear".
        better: Networks significantly better after Holm.
        compared: Networks compared.
    """

    arm: str
    act: str
    difference: str
    interval: str
    verdict: str
    better: int
    compared: int

    @property
    def sentence(self) -> str:
        """One sentence with the effect."""
        size = self.difference.lstrip("+\N{MINUS SIGN}")
        return {
            "helps": f"{self.act} raises AUROC by {size} on average.",
            "probably": f"{self.act} probably raises AUROC, by {size} on average.",
            "hurts": f"{self.act} lowers AUROC by {size} on average.",
            "unclear": f"{self.act} makes no difference to AUROC that this run can show.",
        }[self.verdict]


def best_network(summary: Summary, labels: Mapping[str, str]) -> Best | None:
    """Find the best complete row, or None."""
    rows = [row for row in summary.rows if row.complete and row.keys]
    if not rows:
        return None
    row = max(rows, key=lambda r: r.estimate("auroc"))
    interval = row.intervals.get("auroc")
    return Best(
        labels.get(row.backbone, row.backbone),
        _HOW[row.transfer],
        f"{row.estimate('auroc'):.3f}",
        _range(interval) if interval else "",
        _against_physicians(row),
        len(rows),
    )


def _range(interval: Interval) -> str:
    """Write the bounds of an AUROC within 0..1, which a t interval over few folds may leave."""
    return f"{max(interval.low, 0):.3f} to {min(interval.high, 1):.3f}"


def _against_physicians(row: SummaryRow) -> str:
    if not row.above:
        return ""
    above = [who for who in PHYSICIANS if row.above[who.key] < ALPHA]
    below = [who for who in PHYSICIANS if who not in above]
    says = []
    if above:
        names = " and ".join(f"{who.label.lower()} ({who.auroc.estimate:.2f})" for who in above)
        says.append(f"significantly above published {names}")
    if below:
        names = " or ".join(f"{who.label.lower()} ({who.auroc.estimate:.2f})" for who in below)
        says.append(f"not significantly above {'' if above else 'published '}{names}")
    text = ", ".join(says) + ", who judged other lesions"
    return text[0].upper() + text[1:] + "."


def effects(summary: Summary) -> list[Effect]:
    """Say what each arm changes; fine-tuning first."""
    found = []
    for arm in _ACTS:
        if arm not in summary.overall:
            continue
        d = summary.overall[arm].difference
        mine = [c for c in summary.comparisons if c.transfer == arm and c.metric == "auroc"]
        verdict = _verdict(summary.overall[arm])
        found.append(
            Effect(
                arm,
                _ACTS[arm],
                signed(d.estimate),
                bounds(d),
                verdict,
                sum(1 for c in mine if c.stars),
                len(mine),
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
    """How many photographs one archive gives."""

    name: str
    photographs: int
    melanomas: int


def archives(run: Run) -> list[Archive]:
    """Count the photographs of each archive that took part."""
    table = (
        run.catalog.group_by("dataset")
        .agg(pl.len().alias("n"), pl.col("target").cast(pl.Int64).sum().alias("m"))
        .sort("n", "dataset", descending=[True, False])
    )
    titles = {source["kind"]: source["title"] for source in run.record["data"]["sources"]}
    return [Archive(titles.get(d, str(d)), int(n), int(m)) for d, n, m in table.iter_rows()]


def archive_auroc(run: Run) -> float | None:
    """AUROC of guessing each photograph by the prevalence of its archive, or None for one archive.

    Where it is far above 0.5, a network can do well by telling archives apart.
    """
    if run.catalog["dataset"].n_unique() < 2:
        return None
    return archive_only_auroc(run.catalog["target"].to_numpy(), run.catalog["dataset"].to_numpy())
