"""The poster's Table 1 as data, and the proof that its AUROC is something else.

Kim & Rocheteau (ML4H 2020). If its "AUROC" was computed on rounded predictions it is the balanced
accuracy. Then each row's accuracy and "AUROC" fix sensitivity and specificity, and these F1 and
AUPRC: all 21 rows agree with that to a few thousandths. If it were that of probabilities it would
lie anywhere in a range some 0.1 wide (`possible_auroc`); all 21 rows lie at its lower end.
"""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import StatisticsError

ROWS, MELANOMAS = 37_648, 5_106
"""Photographs of ISIC 2020 with the melanomas of ISIC 2019, and the melanomas among them."""
PREVALENCE = MELANOMAS / ROWS
_ISIC2020, _ISIC2020_MELANOMAS = 33_126, 584

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


@dataclass(frozen=True, slots=True)
class PrintedValue:
    """A printed mean with the half-width of its interval."""

    mean: float
    half_width: float


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of the poster's Table 1.

    Attributes:
        table: "a", without transfer, or "b", with.
        label: As printed.
        backbone: Name in the registry; None where the print leaves it open.
        accuracy: As printed, like the next three.
        auroc: What the poster calls so.
        auprc: Likewise.
        f1: Likewise.
        stars: As printed.
        note: What is unclear about the row, or nothing.
    """

    table: str
    label: str
    backbone: str | None
    accuracy: PrintedValue
    auroc: PrintedValue
    auprc: PrintedValue
    f1: PrintedValue
    stars: str
    note: str

    @property
    def transfer(self) -> str:
        """The arm of a benchmark that the row stands for: "scratch" or "finetune"."""
        return "scratch" if self.table == "a" else "finetune"


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What follows from a row if its "AUROC" is the balanced accuracy.

    Attributes:
        sensitivity: At the threshold of 0.5.
        specificity: Likewise.
        f1: Predicted.
        auprc: Predicted, as the average precision of decisions.
    """

    sensitivity: float
    specificity: float
    f1: float
    auprc: float


@dataclass(frozen=True, slots=True)
class PrintedPhysicians:
    """A row of physicians, printed between the networks; it has an AUROC only."""

    label: str
    auroc: PrintedValue


def physicians() -> tuple[PrintedPhysicians, ...]:
    """Return the physicians' rows as printed; `physicians.py` has their source."""
    return (
        PrintedPhysicians("General Practitioners", PrintedValue(0.83, 0.03)),
        PrintedPhysicians("Dermatologists", PrintedValue(0.91, 0.02)),
    )


def table() -> tuple[PublishedRow, ...]:
    """Return the 21 rows, (a) then (b), as printed."""
    rows = []
    for letter, printed in (("a", _A), ("b", _B)):
        for label, backbone, *values in printed:
            accuracy, auroc, auprc, f1 = (PrintedValue(m / 1000, h / 1000) for m, h in values)
            note = _NOTES.get((letter, values[1][0])) or _NOTES.get(label, "")
            stars = "**" if letter == "b" and label not in _UNSTARRED else ""
            rows.append(
                PublishedRow(letter, label, backbone, accuracy, auroc, auprc, f1, stars, note)
            )
    return tuple(rows)


def reconstruct(accuracy: float, auroc: float, prevalence: float = PREVALENCE) -> Reconstruction:
    """Solve for sensitivity and specificity, and predict F1 and AUPRC from them.

    Two equations in two unknowns: accuracy = p Se + (1 - p) Sp and "AUROC" = (Se + Sp) / 2. Then
    precision P = p Se / (p Se + (1 - p)(1 - Sp)), F1 = 2 P Se / (P + Se), and the average precision
    of decisions P Se + p (1 - Se).

    Args:
        accuracy: 0..1.
        auroc: What the poster calls AUROC, 0..1.
        prevalence: Share of melanomas, other than one half.

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
    return Reconstruction(sensitivity, specificity, f1, auprc)


def possible_auroc(
    accuracy: float, f1: float, prevalence: float = PREVALENCE
) -> tuple[float, float]:
    """Range of a real AUROC, of probabilities, given accuracy and F1.

    These two fix the point of the ROC curve at 0.5: F1 = 2 p Se / (2 p Se + 1 - accuracy). Any
    concave curve from (0, 0) to (1, 1) through that point has at least the area under two straight
    lines, the balanced accuracy (Se + Sp) / 2, and at most that under the best line through it, cut
    at 0 and 1: with x = 1 - Sp and slope m, x Se - m x^2 / 2 + 1 - x - (1 - Se)^2 / (2 m).

    Args:
        accuracy: 0..1.
        f1: Above 0, below 1; with `accuracy` a point above the diagonal.
        prevalence: Share of melanomas, between 0 and 1.

    Raises:
        StatisticsError: No such point.

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


def mean_errors(prevalence: float = PREVALENCE) -> tuple[float, float]:
    """Return the mean absolute error of predicted F1 and AUPRC over all 21 rows."""
    pairs = [(row, reconstruct(row.accuracy.mean, row.auroc.mean, prevalence)) for row in table()]
    f1 = sum(abs(row.f1.mean - found.f1) for row, found in pairs) / len(pairs)
    auprc = sum(abs(row.auprc.mean - found.auprc) for row, found in pairs) / len(pairs)
    return f1, auprc


def archive_only() -> tuple[float, float]:
    """AUROC and AUPRC of the archive's name on the poster's photographs, from counts alone.

    All 4,522 photographs of ISIC 2019 that were added are melanomas, and 584 of ISIC 2020's 33,126.

    >>> [round(x, 3) for x in archive_only()]
    [0.943, 0.901]
    """
    added = ROWS - _ISIC2020
    caught = added / MELANOMAS
    return 0.5 + caught / 2, caught + PREVALENCE * (1 - caught)


def markdown() -> str:
    """Write all rows with what is predicted for them, as a Markdown table."""
    heads = ["Table", "Network as printed", "Accuracy", '"AUROC"']
    heads += [f"{name}{what}" for name in ("F1", "AUPRC") for what in ("", " predicted", " error")]
    heads += ["Note"]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] * len(heads)) + " |"]
    for row in table():
        found = reconstruct(row.accuracy.mean, row.auroc.mean)
        cells = [
            row.table,
            row.label + row.stars.replace("*", "\\*"),
            f"{row.accuracy.mean:.3f}",
            f"{row.auroc.mean:.3f}",
        ]
        for printed, predicted in ((row.f1, found.f1), (row.auprc, found.auprc)):
            error = f"{predicted - printed.mean:+.4f}"
            cells += [f"{printed.mean:.3f}", f"{predicted:.3f}", error]
        lines.append("| " + " | ".join([*cells, row.note]) + " |")
    return "\n".join(lines) + "\n"
