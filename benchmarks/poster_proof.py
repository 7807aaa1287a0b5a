"""The proof of docs/published.md: the poster's "AUROC" is that of rounded predictions.

If it is, it is the balanced accuracy. Then each row's accuracy and "AUROC" fix sensitivity and
specificity, and these F1 and AUPRC (`reconstruct`): all 21 rows agree with that to a few
thousandths. If it were that of probabilities it would lie anywhere in a range some 0.1 wide
(`possible_auroc`); all 21 rows lie at its lower end. Run by
tests/stats/reference/test_poster_table.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import StatisticsError
from melanoscope.stats.reference.poster_table import ROWS

MELANOMAS = 5_106
"""Melanomas among the poster's photographs."""
PREVALENCE = MELANOMAS / ROWS


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
