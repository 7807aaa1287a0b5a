"""What is measured on held-out photographs, against other ways to the same number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from melanoscope.errors import BundleError
from melanoscope.export.evaluation import (
    Holdout,
    describe_heldout,
    evaluate,
    evaluate_subgroups,
    fit_calibration,
)
from melanoscope.export.outputs import GraphOutputs

from .holdouts import holdout_of


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
    assert (found.photographs, found.positives, found.groups) == (4, 2, 2)


def test_subgroups_are_counted_at_the_threshold(holdout):
    frame = holdout.frame.with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in ("center", "image_type")),
        age=pl.lit(50.0),
        site=pl.lit("torso"),
        ita=pl.lit(None, pl.Float64),
    )
    tested = evaluate(replace(holdout, frame=frame), 2.0, replicates=200)
    sex, *others = evaluate_subgroups(tested, 0.7)  # one archive is no variable
    assert [variable.name for variable in others] == ["Age", "Body site", "Skin tone, estimated"]
    for level in sex.levels:
        mine = holdout.frame["sex"].to_numpy() == level.level
        hit = mine & (holdout.target == 1)
        assert level.n == mine.sum()
        assert level.positives == hit.sum()
        assert level.sensitivity.estimate == pytest.approx((holdout.logit[hit] >= 0.7).mean())
        assert level.auroc.estimate == pytest.approx(
            roc_auc_score(holdout.target[mine], holdout.logit[mine])
        )


def test_quantiles_are_those_of_each_class(holdout):
    found = describe_heldout(holdout)
    assert found.positive_logits[50] == np.median(holdout.logit[holdout.target == 1])
    assert found.other_logits[0] == holdout.logit[holdout.target == 0].min()
    assert found.other_logits[100] == holdout.logit[holdout.target == 0].max()


def outputs_of(holdout, order) -> GraphOutputs:
    ids = holdout.frame["image_id"].to_list()
    return GraphOutputs(tuple(ids[n] for n in order), holdout.logit[order], np.zeros(len(order)))


def test_outputs_are_paired_with_photographs_by_their_ids(holdout):
    order = np.random.default_rng(1).permutation(holdout.frame.height)[:300]
    joined = Holdout.join(holdout.frame, outputs_of(holdout, order))
    rows = np.sort(order)
    assert joined.frame.equals(holdout.frame[rows])
    assert (joined.logit == holdout.logit[rows]).all()


def test_outputs_of_other_photographs_are_refused(holdout):
    outputs = outputs_of(holdout, np.arange(10))
    strange = replace(outputs, image_id=("other", *outputs.image_id[1:]))
    twice = replace(outputs, image_id=(outputs.image_id[1], *outputs.image_id[1:]))
    doubled = pl.concat([holdout.frame, holdout.frame])
    for catalog, one in ((holdout.frame, strange), (holdout.frame, twice), (doubled, outputs)):
        with pytest.raises(BundleError, match="each of 10 photographs once"):
            Holdout.join(catalog, one)
