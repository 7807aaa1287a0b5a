"""Joined predictions of drawn models: patients of several photographs, of two classes or more."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from melanoscope.comparison.join import JoinedPredictions
from melanoscope.comparison.results import ComparisonResults
from melanoscope.comparison.settings import ComparisonSettings


def drawn(
    skills: Mapping[str, float],
    *,
    classes: int = 2,
    n: int = 600,
    patients: int = 200,
    folds: int = 0,
    seed: int = 0,
    replicates: int = 200,
) -> ComparisonResults:
    """Draw models of different skill that find the same photographs hard."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, patients, n)
    target = rng.integers(0, classes, n)
    hard = rng.normal(size=(n, classes)) + 0.5 * rng.normal(size=(patients, classes))[group]
    probability = {}
    for name, skill in skills.items():
        logit = skill * np.eye(classes)[target] + hard + 0.5 * rng.normal(size=(n, classes))
        each = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
        probability[name] = each if classes > 2 else each[:, 1]
    return ComparisonResults(
        joined=JoinedPredictions(
            image_id=np.array([f"p{i:04}" for i in range(n)], object),
            classes=("others", "melanoma") if classes == 2 else tuple("abcdefgh"[:classes]),
            target=target,
            probability=probability,
            group=group,
            group_unit="patients",
            fold=group % folds if folds else None,
            center=np.where(group % 2, "here", "there").astype(object),
            subgroups={"sex": np.array(["female", "male"], object)[group % 2]},
            notes=("a note <b>of a file</b>",),
        ),
        settings=ComparisonSettings(replicates=replicates),
        forms=dict.fromkeys(skills, "drawn"),
    )
