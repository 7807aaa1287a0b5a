"""What is measured on held-out photographs, against other ways to the same number."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from melanoscope.export.evaluation import (
    RULES,
    Holdout,
    choose_thresholds,
    describe_heldout,
    evaluate,
    evaluate_subgroups,
    evaluate_thresholds,
    fit_calibration,
)
from melanoscope.stats.metrics.thresholds import highest_f1
from melanoscope.stats.reference.physicians import DERMATOLOGISTS


def holdout_of(logit, target, **columns) -> Holdout:
    n = len(logit)
    frame = pl.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "dataset": ["one"] * n,
            "group_id": [f"g{k // 2}" for k in range(n)],
            "target": np.asarray(target, np.int8),
            **columns,
        }
    )
    return Holdout(frame, np.asarray(logit, np.float64))


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    rng = np.random.default_rng(0)
    target = np.repeat(rng.integers(0, 2, 200), 2)
    logit = 1.5 * target + rng.normal(0, 1.5, 400)
    sex = np.where(rng.random(400) < 0.5, "female", "male").tolist()
    return holdout_of(logit, target, sex=sex)


def test_metrics_are_those_of_scikit_learn(holdout):
    temperature = fit_calibration(holdout).temperature
    tested = evaluate(holdout, temperature, replicates=200)
    p = expit(holdout.logit / temperature)
    assert tested.metrics["auroc"].estimate == pytest.approx(roc_auc_score(holdout.target, p))
    assert tested.metrics["auprc"].estimate == pytest.approx(
        average_precision_score(holdout.target, p)
    )
    assert tested.metrics["brier"].estimate == pytest.approx(brier_score_loss(holdout.target, p))
    assert tested.metrics["observed_over_expected"].estimate == pytest.approx(
        holdout.target.sum() / p.sum()
    )
    for interval in tested.metrics.values():
        assert interval.low < interval.estimate < interval.high
        assert interval.n == 200  # groups, not photographs


def test_the_temperature_is_the_best_of_a_grid(holdout):
    def loss(t):
        p = expit(holdout.logit / t)
        return -np.mean(np.log(np.where(holdout.target == 1, p, 1 - p)))

    grid = np.exp(np.linspace(-2, 2, 401))
    assert fit_calibration(holdout).temperature == pytest.approx(min(grid, key=loss), rel=0.011)


def test_separated_classes_have_temperature_one_and_say_why():
    found = fit_calibration(holdout_of([-3.0, -2, 2, 3], [0, 0, 1, 1]))
    assert found.temperature == 1.0
    assert "separated" in found.why
    assert (found.photographs, found.melanomas, found.groups) == (4, 2, 2)


LOGITS = st.lists(
    st.tuples(st.floats(-30, 30, width=32), st.booleans()), min_size=4, max_size=60
).filter(lambda rows: 0 < sum(hit for _, hit in rows) < len(rows))


@given(LOGITS)
@settings(max_examples=200)
def test_thresholds_keep_what_they_were_chosen_for(rows):
    logit, target = np.array([x for x, _ in rows]), np.array([hit for _, hit in rows], int)
    found = choose_thresholds(holdout_of(logit, target))
    assert (logit >= found["sensitivity_95"])[target == 1].mean() >= 0.95
    spared = (logit < found["specificity_dermatologists"])[target == 0].mean()
    assert spared >= DERMATOLOGISTS.specificity - 1e-12
    # Also where a sigmoid would round neighbours together, the F1 is the best there is.
    called = logit >= found["highest_f1"]
    f1 = 2 * (called & (target == 1)).sum() / (called.sum() + target.sum())
    every = [logit >= t for t in logit]
    best = max(2 * (c & (target == 1)).sum() / (c.sum() + target.sum()) for c in every)
    assert f1 == pytest.approx(best)


def test_no_higher_threshold_recognises_as_many(holdout):
    at = choose_thresholds(holdout)["sensitivity_95"]
    hits = holdout.logit[holdout.target == 1]
    higher = hits[hits > at].min()
    assert (hits >= higher).mean() < 0.95 <= (hits >= at).mean()


def test_highest_f1_decides_as_on_probabilities(holdout):
    ours = holdout.logit >= choose_thresholds(holdout)["highest_f1"]
    theirs = expit(holdout.logit) >= highest_f1(holdout.target, expit(holdout.logit))
    assert (ours == theirs).all()


def test_thresholds_are_measured_by_counting(holdout):
    tested = evaluate(holdout, 1.0, replicates=200)
    logits = {rule.key: at for rule, at in zip(RULES, (-1.0, 0.5, 2.0), strict=True)}
    for found in evaluate_thresholds(tested, logits, 0.02):
        called, hit = holdout.logit >= found.logit, holdout.target == 1
        sensitivity, specificity = called[hit].mean(), 1 - called[~hit].mean()
        assert found.sensitivity.estimate == pytest.approx(sensitivity)
        assert found.specificity.estimate == pytest.approx(specificity)
        ppv = 0.02 * sensitivity / (0.02 * sensitivity + 0.98 * (1 - specificity))
        assert found.ppv.estimate == pytest.approx(ppv)
        assert found.sensitivity.low < sensitivity < found.sensitivity.high


def test_subgroups_are_counted_at_the_threshold(holdout):
    tested = evaluate(holdout, 2.0, replicates=200)
    (sex,) = evaluate_subgroups(tested, 0.7)  # one archive is no variable
    for level in sex.levels:
        mine = holdout.frame["sex"].to_numpy() == level.level
        hit = mine & (holdout.target == 1)
        assert level.n == mine.sum()
        assert level.melanomas == hit.sum()
        assert level.sensitivity.estimate == pytest.approx((holdout.logit[hit] >= 0.7).mean())
        assert level.auroc.estimate == pytest.approx(
            roc_auc_score(holdout.target[mine], holdout.logit[mine])
        )


def test_quantiles_are_those_of_each_class(holdout):
    found = describe_heldout(holdout)
    assert found.melanoma_logits[50] == np.median(holdout.logit[holdout.target == 1])
    assert found.other_logits[0] == holdout.logit[holdout.target == 0].min()
    assert found.other_logits[100] == holdout.logit[holdout.target == 0].max()
