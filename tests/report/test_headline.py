from __future__ import annotations

import pytest

from melanoscope.report.headline import Effect, _verdict
from melanoscope.report.html import ENVIRONMENT
from melanoscope.stats.intervals.crossval_interval import corrected_t_test


@pytest.mark.parametrize(
    ("differences", "verdict", "words"),
    [
        ([0.05, 0.06, 0.05, 0.06], "helps", "raises AUROC by 0.055 on average."),
        ([-0.05, -0.06, -0.05, -0.06], "hurts", "lowers AUROC by 0.055 on average."),
        (
            [0.01, -0.02, 0.02, -0.01],
            "unclear",
            "makes no difference to AUROC that this run can show.",
        ),
        # Three folds: the two-sided interval reaches 0, the one-sided test is significant.
        ([0.145, 0.21, 0.275], "probably", "probably raises AUROC, by 0.210 on average."),
    ],
)
def test_headline_agrees_with_interval_and_stars(
    differences: list[float], verdict: str, words: str
) -> None:
    test = corrected_t_test(differences, n_train=200, n_test=100)
    assert _verdict(test) == verdict
    assert (test.p_value < 0.05) == (verdict in ("helps", "probably"))
    effect = Effect(
        "Fine-tuning", test.difference, verdict, better=0, compared=1, smallest=None, equivalent=()
    )
    template = ENVIRONMENT.from_string(
        '{% from "macros.html.j2" import sentence %}{{ sentence(effect) }}'
    )
    assert template.render(effect=effect) == f"Fine-tuning {words}"
