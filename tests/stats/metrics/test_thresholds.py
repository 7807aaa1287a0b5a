from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.thresholds import highest_f1

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
