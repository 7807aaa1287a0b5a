"""Thresholds of a bundle: chosen on calibration photographs, measured on test photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.inference.manifest_records import Threshold
from melanoscope.stats.metrics.operating_points import operating_point
from melanoscope.stats.metrics.thresholds import (
    highest_f1,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.target import MELANOMA

if TYPE_CHECKING:
    from melanoscope.export.evaluation import Holdout, TestResults
    from melanoscope.stats.arrays import Codes, Floats
    from melanoscope.target import Target


@dataclass(frozen=True)
class ThresholdRule:
    """How a threshold is chosen on the calibration photographs.

    Attributes:
        meaning: What the threshold is for, continuing "The threshold is", with `{plural}` and
            `{negative_plural}` of the target.
        choose: Function of target and score (0..1), shape (n,) each, that returns the threshold.
        of_melanoma: Whether it holds for melanoma alone.
    """

    key: str
    name: str
    meaning: str
    choose: Callable[[Codes, Floats], float]
    of_melanoma: bool = False


RULES: tuple[ThresholdRule, ...] = (
    ThresholdRule(
        "sensitivity_95",
        "95 % sensitivity",
        "set to recognise 95 % of the {plural} of the calibration part: misses few, alarms often",
        lambda target, score: threshold_for_sensitivity(target, score, 0.95),
    ),
    ThresholdRule(
        "specificity_dermatologists",
        "specificity of dermatologists",
        f"set to leave alone {100 * DERMATOLOGISTS.specificity:.1f} % of the {{negative_plural}} "
        "of the calibration part, as dermatologists do in a meta-analysis of 92 studies",
        lambda target, score: threshold_for_specificity(target, score, DERMATOLOGISTS.specificity),
        of_melanoma=True,  # the studies asked for nothing else
    ),
    ThresholdRule(
        "highest_f1",
        "highest F1",
        "set to balance missed {plural} and false alarms on the calibration part",
        highest_f1,
    ),
)
"""The rules, that of the main threshold first."""


def rules_for(target: Target) -> list[ThresholdRule]:
    """Return the rules that a bundle of this target has, that of the main threshold first."""
    return [rule for rule in RULES if target == MELANOMA or not rule.of_melanoma]


def choose_thresholds(holdout: Holdout, target: Target) -> dict[str, float]:
    """Choose each rule's threshold on the calibration photographs: its key -> a logit."""
    # The rules work on scores of 0..1. Ranks go there without rounding, which a sigmoid would not;
    # a threshold between two neighbouring logits becomes their middle.
    order = np.unique(holdout.logit)
    scores = np.arange(1, order.size + 1) / (order.size + 1)
    ranked = scores[np.searchsorted(order, holdout.logit)]
    logits = {}
    for rule in rules_for(target):
        chosen = rule.choose(holdout.target, ranked)
        after = int(np.searchsorted(scores, chosen))
        if after == order.size:  # above all: nothing is called
            logits[rule.key] = float(np.nextafter(order[-1], np.inf))
        elif scores[after] == chosen:
            logits[rule.key] = float(order[after])
        else:
            logits[rule.key] = float(order[max(after - 1, 0) : after + 1].mean())
    return logits


def evaluate_thresholds(
    results: TestResults, logits: dict[str, float], prevalence: float, target: Target
) -> tuple[Threshold, ...]:
    """Measure the thresholds `logits` by rule on the test photographs; the main one comes first."""
    thresholds = []
    for rule in rules_for(target):
        called = (results.holdout.logit >= logits[rule.key]).astype(np.float64)
        point = operating_point(
            results.predictions.with_probability(called),
            results.weights,
            name=rule.name,
            threshold=np.full(called.size, 0.5),
            prevalence=prevalence,
        )
        thresholds.append(
            Threshold(
                key=rule.key,
                name=rule.name,
                meaning=rule.meaning.format(
                    plural=target.plural, negative_plural=target.negative_plural
                ),
                logit=logits[rule.key],
                sensitivity=point.sensitivity,
                specificity=point.specificity,
                ppv=point.ppv,
                npv=point.npv,
                prevalence=prevalence,
            )
        )
    return tuple(thresholds)
