"""The study of every printed interval: its truths are true, its rates are counted right."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.classification import auprc, auroc, threshold_metrics

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import null_study  # noqa: E402 - a script beside the package
from null_study_parts import product, product_rates, product_text  # noqa: E402
from null_study_parts.population import Mixture, prevalence, truths  # noqa: E402
from null_study_parts.record import Record, behind_best  # noqa: E402
from null_study_parts.simulate import Setting  # noqa: E402
from null_study_parts.trained import trained  # noqa: E402

LESIONS = Setting("lesions", "lesions", 500, 0.4, 3, networks=2, own=4)
PATIENTS = Setting("patients", "patients", 1000, 0.2, 3, networks=2, own=4)
MANY = 200_000


def drawn(setting, cell, arm, rng, temperature=1.0):
    """Many new photographs of other groups, as a cell's network sees them: outcomes and logits."""
    target = (rng.random(MANY) < prevalence(setting)).astype(np.int64)
    x = cell.mean[target, arm] + cell.spread[arm] * rng.standard_normal(MANY)
    return target, x / temperature


@pytest.mark.parametrize("setting", [LESIONS, PATIENTS], ids=lambda s: s.name)
def test_logits_of_new_photographs_are_as_said(setting):
    outside = []
    for seed in range(12):
        study = trained(setting, np.random.default_rng(seed))
        for cell in study.cells:
            target = study.study.target[cell.rows]
            outside.append((cell.logit - cell.mean[target].T) / cell.spread[:, None])
    standard = np.concatenate([one.ravel() for one in outside])
    assert standard.mean() == pytest.approx(0, abs=0.1)
    assert standard.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("setting", [LESIONS, PATIENTS], ids=lambda s: s.name)
def test_parts_of_a_cell_share_no_group(setting):
    study = trained(setting, np.random.default_rng(0))
    group = study.study.group
    for cell in study.cells:
        assert not set(group[cell.rows]) & set(group[cell.checked])
        assert np.unique(study.study.target[cell.checked]).size == 2
        assert cell.n_train + cell.rows.size == group.size
    assert study.study.target.mean() == pytest.approx(prevalence(setting), abs=0.08)


def test_truths_are_those_of_many_photographs():
    rng = np.random.default_rng(3)
    study = trained(LESIONS, rng)
    found = []
    for cell in study.cells:
        target, x = drawn(LESIONS, cell, 1, rng)
        p = expit(x)
        decided = threshold_metrics(target, p, float(expit(cell.threshold[1])))
        fold = RankedFold.of(target[:20_000], p[:20_000], np.zeros(20_000, np.int64), 1)
        area = fold.metrics(np.ones((1, 1)))["pauc_above_sensitivity"]
        ranks = {"auroc": auroc(target, p), "auprc": auprc(target, p)}
        found.append(decided | ranks | {"pauc_above_sensitivity": float(area[0])})
    expected = truths(LESIONS, study.cells, 1)
    assert set(expected) == set(product.RESAMPLED)
    for name, value in expected.items():
        assert np.mean([one[name] for one in found]) == pytest.approx(value, abs=0.004), name


def test_calibration_of_a_mixture_is_that_of_many_photographs():
    rng = np.random.default_rng(4)
    study = trained(replace(LESIONS, noise=1.0), rng)
    parts = [drawn(LESIONS, cell, 0, rng, cell.temperature[0]) for cell in study.cells]
    target, x = (np.concatenate(side) for side in zip(*parts, strict=True))
    p = expit(x)
    mixture = Mixture(LESIONS, study.cells, 0)
    fitted = LogisticRegression(C=np.inf).fit(x[:, None], target)
    true = mixture.metrics()
    assert true["calibration_slope"] == pytest.approx(fitted.coef_[0, 0], abs=0.02)
    assert true["brier"] == pytest.approx(np.mean((p - target) ** 2), abs=0.002)
    assert true["observed_expected"] == pytest.approx(target.sum() / p.sum(), abs=0.01)
    moved = expit(x + true["calibration_intercept"])
    assert moved.mean() == pytest.approx(target.mean(), abs=0.002)
    assert abs(true["calibration_slope"] - 1) > 0.05, "a calibrated network would say nothing"
    edges = np.quantile(x, [0.25, 0.5, 0.75])
    code = np.searchsorted(edges, x)
    gaps = np.bincount(code, target - p) / np.bincount(code)
    error = mixture.binned_error(edges, np.full(4, 0.25))
    assert error == pytest.approx(np.sqrt(np.mean(gaps**2)), abs=0.004)
    near = np.abs(p - 0.5) < 0.02
    assert mixture.rate(np.array([0.5]))[0] == pytest.approx(target[near].mean(), abs=0.02)
    assert logit(0.5) == 0


def interval(low, high):
    middle = (low + high) / 2
    return Interval(estimate=middle, low=low, high=high, standard_error=0.1, n=9, method="")


def records():
    """Two studies with two arms: one interval holds its truth in the first study alone."""
    made = []
    for low, level in ((0.6, (0.8, 0.7)), (0.75, (0.7, 0.8))):
        record = Record()
        record.intervals("auroc", [interval(low, low + 0.2), None], level)
        record.intervals(product.NEXT, [interval(low, low + 0.2), None], level)
        record.claims("star", [low > 0.7, False])
        record.together(product.BEST, [interval(-0.2, 0.2), interval(-0.05, 0.2)], level)
        record.best([True, False], [False, True], level, margin=0.02)
        made.append(record)
    return made


def test_rates_count_what_was_printed():
    setting = replace(LESIONS, networks=1)
    found = product_rates.product_rates(setting, records())
    primary = found["intervals"]["auroc"]
    assert primary["networks"]["rate"] == 0.5  # 0.8 is in 0.6 to 0.8, and 0.7 not in 0.75 to 0.95
    assert primary["training"]["rate"] == 1.0  # both hold their mean, 0.75
    assert primary["given"] == 0.5
    assert primary["half_width"] == pytest.approx(0.1)
    following = found["intervals"][product.NEXT]
    assert following["networks"]["rate"] == 0.0  # 0.85 is not in 0.6 to 0.8, nor 0.7 in the other
    assert "training" not in following
    joint = found["intervals"][product.BEST]
    assert joint["networks"]["rate"] == 0.5  # the second network is 0.1 behind in the first study
    assert found["claims"]["star"]["rate"] == 0.25
    assert found["claims"][product_rates.IN_SET]["rate"] == 0.5
    assert found["expected_auroc"] == [0.75, 0.75]


def test_distance_to_the_best_of_the_others():
    found = behind_best(np.array([[0.8, 0.7, 0.75], [0.7, 0.7, 0.6]]))
    assert found == pytest.approx(np.array([[0.05, -0.1, -0.05], [0, 0, -0.1]]))


@pytest.fixture(scope="module")
def short():
    """A small setting with few repetitions."""
    setting = replace(LESIONS, name="null", folds=5)
    how = {"repetitions": 24, "replicates": 100, "seed": 4, "workers": 0}
    return null_study.study((setting,), part="product", **how)


def test_every_printed_interval_is_measured_and_shown(short):
    (one,) = short["settings"]
    assert set(one["intervals"]) == set(product_text.INTERVALS)
    page = product_text.product_markdown(short)
    for words in (*product_text.INTERVALS.values(), *product_text.CLAIMS.values()):
        assert f"| {words} |" in page, words
    assert set(product_text.CLAIMS) < set(one["claims"])


def test_printed_intervals_hold_about_as_often_as_they_say(short):
    (one,) = short["settings"]
    for name, found in one["intervals"].items():
        # Of 24 studies: fewer than 19 have a chance of 1 in 1,000 at 95 %.
        assert found["networks"]["rate"] > 0.75, name
        if name != "flexible calibration curve":
            assert found["given"] > 0.9, name
    assert one["claims"]["auroc: star"]["rate"] < 0.2
    assert one["claims"]["subgroups: any difference on the page"]["rate"] < 0.2
    assert one["claims"][product_rates.IN_SET]["rate"] > 0.8


def test_interval_that_is_too_narrow_is_found(short, monkeypatch):
    honest = product.crossval_metric

    def narrow(*values):
        found = honest(*values)
        middle = found.estimate
        return replace(found, low=(found.low + 3 * middle) / 4, high=(found.high + 3 * middle) / 4)

    monkeypatch.setattr(product, "crossval_metric", narrow)
    setting = replace(LESIONS, name="null", folds=5)
    how = {"repetitions": 8, "replicates": 100, "seed": 4, "workers": 0}
    (one,) = null_study.study((setting,), part="product", **how)["settings"]
    assert one["intervals"]["auroc"]["networks"]["high"] < 0.93
