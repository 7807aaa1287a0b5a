from __future__ import annotations

import pytest

from melanoscope.report.headline import Effect, _verdict
from melanoscope.stats.intervals.corrected_t import corrected_t_test


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.05, 0.06, 0.05, 0.06], "helps"),
        ([-0.05, -0.06, -0.05, -0.06], "hurts"),
        ([0.01, -0.02, 0.02, -0.01], "unclear"),
        # Three folds: the two-sided interval reaches 0, the one-sided test is significant.
        ([0.145, 0.21, 0.275], "probably"),
    ],
)
def test_headline_agrees_with_interval_and_stars(differences: list[float], verdict: str) -> None:
    test = corrected_t_test(differences, n_train=200, n_test=100)
    assert _verdict(test) == verdict
    assert (test.p_value < 0.05) == (verdict in ("helps", "probably"))
    effect = Effect("finetune", "Fine-tuning", "+0.050", "0.1 to 0.2", verdict, 0, 1)
    assert effect.sentence.startswith("Fine-tuning")
