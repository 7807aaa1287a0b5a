"""The poster's Table 1 as printed: Kim & Rocheteau (ML4H 2020).

Its "AUROC" and "AUPRC" are those of rounded predictions: docs/published.md has the proof.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from melanoscope.stats.intervals.interval import Interval

ROWS = 37_648
"""Number of photographs: ISIC 2020 with the melanomas of ISIC 2019."""
_TABLE = files(__package__) / "poster_table.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One row of the poster's Table 1.

    Attributes:
        table: "a", without transfer, or "b", with.
        label: Name of the network as printed.
        backbone: Name in the registry; None where the print leaves it open.
        accuracy: Accuracy as printed.
        auroc: What the poster prints as AUROC: in truth the balanced accuracy of decisions at 0.5.
        auprc: What the poster prints as AUPRC: in truth the average precision of these decisions.
        f1: F1 as printed.
        stars: Stars as printed.
        note: What is unclear about the row; empty where all is clear.
    """

    table: str
    label: str
    backbone: str | None
    accuracy: Interval
    auroc: Interval
    auprc: Interval
    f1: Interval
    stars: str
    note: str

    @property
    def transfer(self) -> str:
        """The transfer that the row stands for, "scratch" or "finetune"."""
        return "scratch" if self.table == "a" else "finetune"


@cache
def published_rows() -> tuple[PublishedRow, ...]:
    """Return the 21 rows of the poster's Table 1, (a) then (b), as printed."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return tuple(
        PublishedRow(
            table=row["table"],
            label=row["label"],
            backbone=row["backbone"] or None,
            accuracy=_printed(row, "accuracy"),
            auroc=_printed(row, "auroc"),
            auprc=_printed(row, "auprc"),
            f1=_printed(row, "f1"),
            stars=row["stars"],
            note=row["note"],
        )
        for row in csv.DictReader(lines)
    )


def printed_row(backbone: str, transfer: str) -> PublishedRow | None:
    """Find the row that the poster prints for a network.

    Args:
        backbone: Name of the backbone in the registry.
        transfer: How the network was started; only "scratch" and "finetune" are in the poster.

    Returns:
        The row, or None where the poster has none or leaves open which one it is.

    >>> printed_row("vgg16", "finetune").auroc.estimate
    0.874
    >>> printed_row("mnasnet1_0", "finetune") is None  # two rows of this label
    True
    """
    key = (backbone, transfer)
    return next((row for row in published_rows() if (row.backbone, row.transfer) == key), None)


def _printed(row: dict[str, str], metric: str) -> Interval:
    """Turn a printed mean and half-width into an interval, with three decimals as printed."""
    mean, half_width = float(row[metric]), float(row[f"{metric}_half"])
    return Interval(
        estimate=mean,
        low=round(mean - half_width, 3),
        high=round(mean + half_width, 3),
        standard_error=math.nan,
        n=ROWS,
        method="as printed",
        unit="photographs",
    )
