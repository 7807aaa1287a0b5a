"""Thresholds of a bundle: chosen on calibration photographs, measured on test photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.inference.manifest_records import Threshold
from melanoscope.stats.metrics.operating_points import operating_point
from melanoscope.stats.metrics.thresholds import (
    GuaranteedThreshold,
    highest_f1,
    percent_at_least,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.target import MELANOMA

if TYPE_CHECKING:
    from melanoscope.export.evaluation import Holdout, TestResults
    from melanoscope.stats.arrays import Codes, Floats
    from melanoscope.target import Target


SENSITIVITY = 0.95
"""What the main threshold is to guarantee."""


@dataclass(frozen=True)
class ThresholdRule:
    """How a threshold is chosen on the calibration photographs.

    Attributes:
        name: Name for people, with `{guaranteed}` for a sensitivity that is guaranteed.
        meaning: What the threshold is for, continuing "The threshold is", with `{plural}` and
            `{negative_plural}` of the target, `{guaranteed}`, and `{few}` where the calibration
            part holds too few positives for what was wanted.
        choose: Function of target, score (0..1) and group, shape (n,) each; its `guaranteed` is 0
            where nothing is.
        of_melanoma: Whether it holds for melanoma alone.
    """

    key: str
    name: str
    meaning: str
    choose: Callable[[Codes, Floats, Codes], GuaranteedThreshold]
    of_melanoma: bool = False


RULES: tuple[ThresholdRule, ...] = (
    ThresholdRule(
        "sensitivity_95",
        "at least {guaranteed} sensitivity",
        "set to recognise at least {guaranteed} of the {plural}, with 95 % confidence by the "
        "calibration part{few}: misses few, alarms often",
        lambda target, score, group: threshold_for_sensitivity(target, score, group, SENSITIVITY),
    ),
    ThresholdRule(
        "specificity_dermatologists",
        "specificity of dermatologists",
        f"set to leave alone {100 * DERMATOLOGISTS.specificity:.1f} % of the {{negative_plural}} "
        "of the calibration part, as dermatologists do in a meta-analysis of 92 studies",
        lambda target, score, _: GuaranteedThreshold(
            threshold_for_specificity(target, score, DERMATOLOGISTS.specificity), 0.0
        ),
        of_melanoma=True,  # the studies asked for nothing else
    ),
    ThresholdRule(
        "highest_f1",
        "highest F1",
        "set to balance missed {plural} and false alarms on the calibration part",
        lambda target, score, _: GuaranteedThreshold(highest_f1(target, score), 0.0),
    ),
)
"""The rules, that of the main threshold first."""


@dataclass(frozen=True)
class ChosenThreshold:
    """A rule's threshold: a logit, with its name and meaning in words."""

    logit: float
    name: str
    meaning: str


def rules_for(target: Target) -> list[ThresholdRule]:
    """Return the rules that a bundle of this target has, that of the main threshold first."""
    return [rule for rule in RULES if target == MELANOMA or not rule.of_melanoma]


def choose_thresholds(holdout: Holdout, target: Target) -> dict[str, ChosenThreshold]:
    """Choose each rule's threshold on the calibration photographs, by its key."""
    if not np.isfinite(holdout.logit).all():
        wrong = int((~np.isfinite(holdout.logit)).sum())
        raise StatisticsError(
            "finite logits to choose thresholds on",
            f"{wrong} that are NaN or infinite",
            "check whether training diverged",
        )
    # The rules work on scores of 0..1. Ranks go there without rounding, which a sigmoid would not;
    # a threshold between two neighbouring logits becomes their middle.
    order = np.unique(holdout.logit)
    scores = np.arange(1, order.size + 1) / (order.size + 1)
    ranked = scores[np.searchsorted(order, holdout.logit)]
    found = {}
    for rule in rules_for(target):
        chosen = rule.choose(holdout.target, ranked, holdout.group)
        after = int(np.searchsorted(scores, chosen.threshold))
        if after == order.size:  # above all: nothing is called
            logit = float(np.nextafter(order[-1], np.inf))
        elif scores[after] == chosen.threshold:
            logit = float(order[after])
        else:
            logit = float(order[max(after - 1, 0) : after + 1].mean())
        words = {
            "plural": target.plural,
            "negative_plural": target.negative_plural,
            "guaranteed": percent_at_least(min(chosen.guaranteed, SENSITIVITY)),
            "few": ""
            if chosen.guaranteed >= SENSITIVITY
            else f", whose {target.plural} are too few for {100 * SENSITIVITY:.0f} %",
        }
        found[rule.key] = ChosenThreshold(
            logit, rule.name.format(**words), rule.meaning.format(**words)
        )
    return found


def evaluate_thresholds(
    results: TestResults, chosen: dict[str, ChosenThreshold], prevalence: float
) -> tuple[Threshold, ...]:
    """Measure the `chosen` thresholds on the test photographs; the main one comes first."""
    thresholds = []
    for key, one in chosen.items():
        called = (results.holdout.logit >= one.logit).astype(np.float64)
        point = operating_point(
            results.predictions.with_probability(called),
            name=one.name,
            threshold=np.full(called.size, 0.5),
            prevalence=prevalence,
        )
        thresholds.append(
            Threshold(
                key=key,
                name=one.name,
                meaning=one.meaning,
                logit=one.logit,
                sensitivity=point.sensitivity,
                specificity=point.specificity,
                ppv=point.ppv,
                npv=point.npv,
                prevalence=prevalence,
            )
        )
    return tuple(thresholds)
