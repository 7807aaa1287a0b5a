"""The poster's Table 1 as data, and the proof that its AUROC is something else.

Kim & Rocheteau (ML4H 2020). If its "AUROC" was computed on rounded predictions it is the balanced
accuracy. Then each row's accuracy and "AUROC" fix sensitivity and specificity, and these F1 and
AUPRC: all 21 rows agree with that to a few thousandths. If it were that of probabilities it would
lie anywhere in a range some 0.1 wide (`possible_auroc`); all 21 rows lie at its lower end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval

ROWS, MELANOMAS = 37_648, 5_106
"""Photographs of ISIC 2020 with the melanomas of ISIC 2019, and the melanomas among them."""
PREVALENCE = MELANOMAS / ROWS

# label, backbone, accuracy, AUROC, AUPRC, F1 as (mean, half-width), each times 1000.
_A = (
    ("Standard_CNN", "standard_cnn", (914, 4), (759, 30), (484, 26), (633, 35)),
    ("VGG [30]", "vgg16", (943, 4), (832, 18), (643, 25), (765, 23)),
    ("SqueezeNet [10]", "squeezenet1_0", (949, 3), (860, 14), (687, 11), (801, 8)),
    ("ResNeXt [37]", "resnext50_32x4d", (952, 9), (878, 22), (712, 35), (818, 23)),
    ("DenseNet [9]", "densenet161", (957, 3), (859, 15), (733, 21), (824, 18)),
    ("GoogLeNet [33]", "googlenet", (957, 4), (861, 18), (732, 24), (824, 22)),
    ("ResNeXt-50 [6]", "resnet50", (959, 3), (869, 16), (744, 18), (835, 16)),
    ("MobileNet [29]", "mobilenet_v2", (963, 3), (889, 13), (769, 19), (856, 14)),
    ("MnasNet [35]", "mnasnet1_0", (963, 8), (900, 10), (771, 39), (859, 23)),
    ("ShuffleNet [18]", "shufflenet_v2_x1_0", (965, 4), (892, 16), (777, 25), (861, 18)),
    ("EfficientNet [17]", "efficientnet_b2", (967, 2), (900, 9), (794, 13), (872, 10)),
)
_B = (
    ("VGG [30]", "vgg16", (959, 3), (874, 13), (740, 16), (835, 13)),
    ("ResNeXt-50 [6]", "resnet50", (962, 4), (880, 14), (763, 22), (849, 17)),
    ("ShuffleNet [18]", "shufflenet_v2_x1_0", (963, 6), (896, 24), (769, 40), (857, 28)),
    ("SqueezeNet [10]", "squeezenet1_0", (963, 4), (902, 15), (771, 20), (861, 15)),
    ("DenseNet [9]", "densenet161", (966, 3), (904, 11), (786, 18), (870, 11)),
    ("MobileNet [29]", "mobilenet_v2", (969, 2), (916, 7), (806, 15), (884, 9)),
    ("MnasNet [35]", None, (971, 1), (918, 6), (819, 9), (891, 5)),
    ("ResNeXt [37]", "resnext50_32x4d", (973, 2), (921, 6), (831, 13), (898, 8)),
    ("GoogLeNet [33]", "googlenet", (974, 2), (928, 5), (832, 13), (901, 7)),
    ("MnasNet [35]", None, (975, 2), (931, 5), (840, 10), (906, 6)),
)
_UNSTARRED = {"ResNeXt-50 [6]", "ShuffleNet [18]"}
_NOTES = {
    "ResNeXt-50 [6]": "reference 6 is He et al.: ResNet-50",
    ("b", 918): "one of two rows of this label; the other must be EfficientNet",
    ("b", 931): "the paper gives EfficientNet these values; the poster's row of that name is empty",
}


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

    @property
    def reconstruction(self) -> Reconstruction:
        """What follows from the row's accuracy and "AUROC"."""
        return reconstruct(self.accuracy.estimate, self.auroc.estimate)

    @property
    def possible_auroc(self) -> tuple[float, float]:
        """Range that the network's real AUROC lies in, from accuracy and F1."""
        return possible_auroc(self.accuracy.estimate, self.f1.estimate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconstruction:
    """What follows from a row if its "AUROC" is the balanced accuracy.

    Attributes:
        sensitivity: Sensitivity at the threshold of 0.5.
        specificity: Specificity at the threshold of 0.5.
        f1: Predicted F1.
        auprc: Predicted average precision of the decisions.
    """

    sensitivity: float
    specificity: float
    f1: float
    auprc: float


def published_rows() -> tuple[PublishedRow, ...]:
    """Return the 21 rows of the poster's Table 1, (a) then (b), as printed."""
    return tuple(
        PublishedRow(
            table=table,
            label=label,
            backbone=backbone,
            accuracy=_printed(*accuracy),
            auroc=_printed(*auroc),
            auprc=_printed(*auprc),
            f1=_printed(*f1),
            stars="**" if table == "b" and label not in _UNSTARRED else "",
            note=_NOTES.get((table, auroc[0])) or _NOTES.get(label, ""),
        )
        for table, rows in (("a", _A), ("b", _B))
        for label, backbone, accuracy, auroc, auprc, f1 in rows
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
    for row in published_rows():
        if (row.backbone, row.transfer) == (backbone, transfer):
            return row
    return None


def _printed(mean: int, half_width: int) -> Interval:
    """Turn a printed mean and half-width, both times 1000, into an interval."""
    return Interval(
        estimate=mean / 1000,
        low=(mean - half_width) / 1000,
        high=(mean + half_width) / 1000,
        standard_error=math.nan,
        n=ROWS,
        method="as printed",
        unit="photographs",
    )


def reconstruct(accuracy: float, auroc: float, prevalence: float = PREVALENCE) -> Reconstruction:
    """Solve for sensitivity and specificity, and predict F1 and AUPRC from them.

    Two equations in two unknowns: accuracy = p Se + (1 - p) Sp and "AUROC" = (Se + Sp) / 2. Then
    precision P = p Se / (p Se + (1 - p)(1 - Sp)), F1 = 2 P Se / (P + Se), and the average precision
    of decisions P Se + p (1 - Se).

    Args:
        accuracy: Printed accuracy, 0..1.
        auroc: What the poster calls AUROC, 0..1.
        prevalence: Share of melanomas, other than one half.

    Returns:
        Sensitivity, specificity, and the predicted F1 and AUPRC.

    >>> found = reconstruct(0.975, 0.931)
    >>> round(found.f1, 3), round(found.auprc, 3)
    (0.904, 0.836)
    """
    p = prevalence
    specificity = (accuracy - 2 * p * auroc) / (1 - 2 * p)
    sensitivity = 2 * auroc - specificity
    called = p * sensitivity + (1 - p) * (1 - specificity)
    precision = p * sensitivity / called
    f1 = 2 * precision * sensitivity / (precision + sensitivity)
    auprc = precision * sensitivity + p * (1 - sensitivity)
    return Reconstruction(sensitivity=sensitivity, specificity=specificity, f1=f1, auprc=auprc)


def possible_auroc(
    accuracy: float, f1: float, prevalence: float = PREVALENCE
) -> tuple[float, float]:
    """Return the range of a real AUROC, of probabilities, given accuracy and F1.

    These two fix the point of the ROC curve at 0.5: F1 = 2 p Se / (2 p Se + 1 - accuracy). Any
    concave curve from (0, 0) to (1, 1) through that point has at least the area under two straight
    lines, the balanced accuracy (Se + Sp) / 2, and at most that under the best line through it, cut
    at 0 and 1: with x = 1 - Sp and slope m, x Se - m x^2 / 2 + 1 - x - (1 - Se)^2 / (2 m).

    Args:
        accuracy: Accuracy at the threshold of 0.5, 0..1.
        f1: F1 at that threshold, above 0, below 1; with `accuracy` a point above the diagonal.
        prevalence: Share of melanomas, between 0 and 1.

    Returns:
        The lowest and the highest possible AUROC.

    Raises:
        StatisticsError: Accuracy and F1 that no point above the diagonal has.

    >>> [round(x, 3) for x in possible_auroc(0.975, 0.906)]
    [0.938, 0.997]
    """
    p = prevalence
    hit = f1 * (1 - accuracy) / (2 * (1 - f1)) if f1 < 1 else p
    se = hit / p
    x = (1 - accuracy - (p - hit)) / (1 - p)
    if not (0 < x < se < 1):
        raise StatisticsError(
            "an accuracy and F1 of a point above the diagonal",
            f"{accuracy!r} and {f1!r}",
            "check the prevalence",
        )
    # A line through the point that is steeper or flatter would pass below (0, 0) or (1, 1).
    slope = min(max((1 - se) / x, (1 - se) / (1 - x)), se / x)
    highest = x * se - slope * x**2 / 2 + 1 - x - (1 - se) ** 2 / (2 * slope)
    return (se + 1 - x) / 2, highest
