"""Rank metrics of one fold under weights, against scikit-learn, the challenge and trapezoids."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS, RankedFold


@st.composite
def predictions(draw):
    """Targets with both classes; probabilities from a coarse grid, so that ties abound."""
    n = draw(st.integers(2, 60))
    labels = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    target = draw(labels.filter(lambda t: 0 < sum(t) < n))
    steps = draw(st.sampled_from([1, 3, 10, 1000]))
    score = draw(st.lists(st.integers(0, steps), min_size=n, max_size=n))
    return np.array(target), np.array(score) / steps


def ranked(target, p, weight=None):
    """The metrics of a fold whose photographs are groups of their own."""
    n = target.size
    weight = np.ones(n) if weight is None else weight
    fold = RankedFold.of(target, p, np.arange(n), n)
    found = fold.metrics(weight[:, None].astype(np.float32))
    assert tuple(found) == RANK_METRICS
    return {metric: float(value[0]) for metric, value in found.items()}


def challenge(target, p, minimum):
    """Partial area as the ISIC 2024 challenge computes it: labels and scores flipped, McClish's
    standardisation (1989) taken back."""
    most = 1 - minimum
    scaled = oracle.roc_auc_score(1 - target, -p, max_fpr=most)
    return 0.5 * most**2 + (most - 0.5 * most**2) / 0.5 * (scaled - 0.5)


def trapezoids(target, p, minimum):
    """The same by the trapezoid rule over specificity as a function of sensitivity."""
    fpr, tpr, _ = oracle.roc_curve(target, p, drop_intermediate=False)
    total = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(zip(fpr, tpr, strict=True)):
        if y1 <= max(minimum, y0):
            continue
        low = max(minimum, y0)
        at_low = x0 + (x1 - x0) * (low - y0) / (y1 - y0)
        total += (y1 - low) * (1 - (at_low + x1) / 2)
    return total


@given(predictions(), st.integers(0, 1000))
def test_agrees_with_scikit_learn_under_weights(case, seed):
    target, p = case
    weight = np.random.default_rng(seed).integers(0, 3, target.size)
    weight[[target.argmax(), target.argmin()]] = 1
    for chosen in (np.ones_like(weight), weight):
        found = ranked(target, p, chosen)
        expected = oracle.roc_auc_score(target, p, sample_weight=chosen)
        assert found["auroc"] == pytest.approx(expected, abs=1e-12)
        expected = oracle.average_precision_score(target, p, sample_weight=chosen)
        assert found["auprc"] == pytest.approx(expected, abs=1e-12)


@given(predictions())
def test_partial_area_agrees_with_the_challenge_and_with_trapezoids(case):
    target, p = case
    found = ranked(target, p)["pauc_above_sensitivity"]
    assert found == pytest.approx(challenge(target, p, 0.8), abs=1e-12)
    assert found == pytest.approx(trapezoids(target, p, 0.8), abs=1e-12)
    assert 0 <= found <= 0.2 + 1e-12


@pytest.mark.parametrize(
    ("p", "area"),
    # Constant scores: the diagonal above 0.8 leaves a triangle of 0.2 by 0.2.
    [((0.2, 0.7), 0.2), ((0.7, 0.2), 0.0), ((0.5, 0.5), 0.02)],
)
def test_partial_area_known_values(p, area):
    found = ranked(np.array([0, 1]), np.array(p))
    assert found["pauc_above_sensitivity"] == pytest.approx(area)


def test_a_class_without_weight_has_no_metrics():
    for weight in ([1, 0], [0, 1]):
        found = ranked(np.array([0, 1]), np.array([0.2, 0.7]), np.array(weight))
        assert all(np.isnan(value) for value in found.values())
