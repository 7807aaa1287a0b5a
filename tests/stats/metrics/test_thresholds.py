from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import f1_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.proportion import exact_bounds
from melanoscope.stats.metrics.thresholds import (
    highest_f1,
    percent_at_least,
    threshold_for_sensitivity,
    threshold_for_specificity,
)

scores = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])),
    min_size=1,
    max_size=25,
)


@given(scores)
def test_no_threshold_is_better(pairs: list[tuple[int, float]]) -> None:
    targets = np.array([t for t, _ in pairs])
    probabilities = np.array([p for _, p in pairs])
    if not targets.any():
        with pytest.raises(StatisticsError):
            highest_f1(targets, probabilities)
        return
    threshold = highest_f1(targets, probabilities)
    best = max(
        f1_score(targets, probabilities >= candidate, zero_division=0)
        # Between two scores all thresholds decide alike.
        for candidate in np.unique(np.concatenate([probabilities, [0.0, 1.0, 1.1]]))
    )
    assert f1_score(targets, probabilities >= threshold) == pytest.approx(best)


@given(st.integers(0, 10_000), st.integers(1, 120), st.floats(0.5, 0.97))
def test_the_highest_threshold_that_guarantees(seed: int, n: int, wanted: float) -> None:
    rng = np.random.default_rng(seed)
    hits = np.round(rng.random(n), 2)
    found = threshold_for_sensitivity(
        np.append(np.ones(n, int), 0), np.append(hits, 0.5), np.arange(n + 1), wanted
    )

    def bound(threshold: float) -> float:
        return exact_bounds((hits >= threshold).mean(), n, 0.05)[0]

    assert found.guaranteed == pytest.approx(bound(found.threshold))
    if bound(hits.min()) < wanted:
        assert found.threshold == hits.min()
        assert found.guaranteed == pytest.approx(0.05 ** (1 / n))
    else:
        assert found.guaranteed >= wanted
        higher = hits[hits > found.threshold]
        assert not higher.size or bound(higher.min()) < wanted


@pytest.mark.parametrize("n", [30, 59, 80, 300])
def test_new_lesions_are_recognised_as_guaranteed(n: int) -> None:
    """In 95 of 100 studies; the raw quantile did so in about half. 2.1 % are three errors."""
    rng = np.random.default_rng(n)
    kept, few = [], False
    for _ in range(1000):
        probability = norm.cdf(rng.normal(1, 1, n))
        found = threshold_for_sensitivity(
            np.append(np.ones(n, int), 0), np.append(probability, 0.1), np.arange(n + 1)
        )
        few = found.guaranteed < 0.95
        promised = min(found.guaranteed, 0.95)
        kept.append(norm.sf(norm.ppf(found.threshold) - 1) >= promised)
    assert few == (n < 59)
    assert np.mean(kept) >= 0.95 - 0.021


def test_photographs_of_one_patient_are_no_new_evidence() -> None:
    """59 patients guarantee 95 %, however many photographs each has; unlike numbers weigh less."""
    probability = np.append(np.full(59, 0.7), 0.1)
    target, group = np.append(np.ones(59, int), 0), np.arange(60)
    once = threshold_for_sensitivity(target, probability, group)
    thrice = threshold_for_sensitivity(*(np.repeat(x, 3) for x in (target, probability, group)))
    assert once == pytest.approx(thrice)
    assert once.guaranteed >= 0.95
    sizes = np.where(np.arange(60) == 0, 20, 1)
    unlike = threshold_for_sensitivity(*(np.repeat(x, sizes) for x in (target, probability, group)))
    assert unlike.guaranteed < 0.9
    assert percent_at_least(once.guaranteed) == "95 %"


def test_nan_is_refused_by_every_rule() -> None:
    target, probability = np.array([0, 1, 0, 1]), np.array([0.1, np.nan, 0.2, 0.8])
    for choose in (
        lambda: highest_f1(target, probability),
        lambda: threshold_for_sensitivity(target, probability, np.arange(4)),
        lambda: threshold_for_specificity(target, probability),
    ):
        with pytest.raises(StatisticsError, match="1 outside or NaN"):
            choose()
    with pytest.raises(StatisticsError, match="a share above 0, below 1"):
        threshold_for_sensitivity(target, [0.1, 0.2, 0.3, 0.4], np.arange(4), 1.0)
