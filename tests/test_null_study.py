"""The study of the statistics: its simulation has the truth it claims, its methods are ours."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many
from melanoscope.stats.intervals.auroc_interval import (
    delong_interval,
    influence_interval,
    placement_values,
)
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.predictions import Predictions

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import null_study  # noqa: E402 - a script beside the package
from null_study_parts import methods, rates, repetition, simulate, text  # noqa: E402

LESIONS = simulate.Setting("lesions", "lesions", 300, 0.4, 3, networks=2, own=4)
PATIENTS = simulate.Setting("patients", "patients", 1200, 0.2, 3, networks=2, own=4)


def one_run(setting, seed=0):
    """Draw, divide, train: the study, its folds, its parts, ranked."""
    rng = np.random.default_rng(seed)
    study = simulate.draw(setting, rng)
    fold = simulate.divide(study, setting.folds, rng)
    parts = simulate.trained_parts(setting, study, fold, rng)
    return study, fold, parts, [methods.ranked(study, part) for part in parts]


def as_predictions(study, fold, parts, arm):
    score = np.empty(study.target.size)
    for part in parts:
        score[part.photograph] = part.score[arm]
    return Predictions(
        target=study.target,
        probability=1 / (1 + np.exp(-score)),
        threshold=np.full(score.size, 0.5),
        fold_id=fold,
        group=study.group,
        image_index=np.arange(score.size),
    )


@pytest.mark.parametrize("setting", [LESIONS, PATIENTS])
def test_true_auroc_is_that_of_many_new_photographs(setting):
    rng = np.random.default_rng(1)
    many = simulate.draw(replace(setting, photographs=60_000), rng)
    _, _, parts, _ = one_run(setting)
    weights = rng.standard_normal((setting.arms, 2 * setting.own)) * 0.3
    weights += np.stack([*simulate.signal(setting)] * setting.networks)
    truth = simulate.true_auroc(setting, weights)
    score = simulate.by_arm(setting, many.features, weights)
    found = [auroc(many.target, stats.norm.cdf(one)) for one in score]
    assert found == pytest.approx(truth, abs=0.015)
    assert np.ptp(truth) > 0.02, "the arms must differ for this to say something"
    assert all(0.5 < t < 0.81 for part in parts for t in part.truth)


def test_a_gain_is_in_arm_a_only():
    gaining = replace(LESIONS, gain=0.05)
    best = np.stack([*simulate.signal(gaining)] * gaining.networks)
    assert simulate.true_auroc(gaining, best) == pytest.approx([0.85, 0.8] * 2)


def test_groups_are_alike_and_lean_together():
    rng = np.random.default_rng(2)
    lesions = simulate.draw(replace(LESIONS, photographs=20_000), rng)
    patients = simulate.draw(replace(PATIENTS, photographs=40_000), rng)
    assert lesions.group.size == 20_000
    assert 1.25 < 20_000 / (lesions.group.max() + 1) < 1.45
    assert 13 < 40_000 / (patients.group.max() + 1) < 19
    assert lesions.target.mean() == pytest.approx(0.4, abs=0.02)
    assert patients.target.mean() == pytest.approx(0.2, abs=0.02)
    for study, alike in ((lesions, 0.7), (patients, 0.3)):
        pairs = np.flatnonzero(study.group[1:] == study.group[:-1])
        pairs = pairs[study.target[pairs] == study.target[pairs + 1]]
        shifted = study.features - study.target[:, None] * study.features[study.target == 1].mean(0)
        left, right = shifted[pairs].ravel(), shifted[pairs + 1].ravel()
        assert np.corrcoef(left, right)[0, 1] == pytest.approx(alike, abs=0.05)
    same = lesions.group[1:] == lesions.group[:-1]
    assert (lesions.target[1:] == lesions.target[:-1])[same].all()
    same = patients.group[1:] == patients.group[:-1]
    together = (patients.target[1:] & patients.target[:-1])[same].mean()
    assert together > 0.2**2 + 0.01


def test_a_fold_does_not_train_on_itself():
    study, fold, parts, _ = one_run(LESIONS)
    changed = simulate.Study(study.group, study.target, study.features.copy())
    changed.features[fold == 1] += 7
    rng = np.random.default_rng(0)
    again = simulate.trained_parts(replace(LESIONS, noise=0), changed, fold, rng)
    before = simulate.trained_parts(replace(LESIONS, noise=0), study, fold, rng)
    assert again[1].truth == pytest.approx(before[1].truth, rel=1e-9)
    assert not np.allclose(again[0].truth, before[0].truth)
    assert sum(part.photograph.size for part in parts) == LESIONS.photographs


@pytest.mark.parametrize("setting", [LESIONS, PATIENTS])
def test_bootstrap_is_the_one_of_the_package(setting):
    study, fold, parts, pairs = one_run(setting)
    networks = {str(arm): as_predictions(study, fold, parts, arm) for arm in range(setting.arms)}
    theirs = bootstrap_many(networks, metrics=("auroc",), replicates=150, seed=3)
    weights = theirs["0"].weights
    counts = np.concatenate([block.T for _, block in weights.blocks()]).astype(np.float32)
    ours = methods.bootstrap(pairs, study.group, counts)
    for arm in range(setting.arms):
        assert ours[:, arm] == pytest.approx(theirs[str(arm)].replicates["auroc"], rel=1e-5)
        assert pairs[0].auroc[arm] == pytest.approx(
            auroc(study.target[fold == 0], networks[str(arm)].probability[fold == 0])
        )
    apart = theirs["0"].replicates["auroc"] - theirs["1"].replicates["auroc"]
    difference = methods.with_differences(ours)[:, [setting.arms]]
    assert methods.bootstrap_p(difference) == pytest.approx((1 + (apart <= 0).sum()) / 151)
    bounds = methods.percentile_bounds(difference)
    assert [*bounds.low, *bounds.high] == pytest.approx(
        np.quantile(apart, [0.025, 0.975]), abs=1e-5
    )
    # The strata are the package's too: every stratum keeps its number of groups.
    stratum = methods.strata(study.group, study.target, fold)
    own = methods.draws(stratum, 50, np.random.default_rng(0))
    for code in np.unique(stratum):
        size = (stratum == code).sum()
        assert counts[:, stratum == code].sum(axis=1) == pytest.approx(size, rel=1e-5)
        assert (own[:, stratum == code].sum(axis=1) == size).all()


def test_rescaled_draws_have_the_variance_of_a_sample():
    stratum = np.zeros(6, np.int64)
    effect = np.array([1.0, 2, 4, 8, 16, 32])
    for rescale, factor in ((False, 5 / 6), (True, 1.0)):
        weight = methods.draws(stratum, 200_000, np.random.default_rng(0), rescale=rescale)
        mean = (weight @ effect) / weight.sum(axis=1)
        assert mean.var() == pytest.approx(factor * effect.var(ddof=1) / 6, rel=0.02)


def paired_delong_variance(positive, a, b, units):
    """DeLong's variance of a difference, with Obuchowski's sums by unit, from the placements."""
    above, below = (
        x - y
        for x, y in zip(placement_values(positive, a), placement_values(positive, b), strict=True)
    )
    names = np.unique(units)
    sums = [
        np.array([(x - x.mean())[units[side] == name].sum() / x.size for name in names])
        for x, side in ((above, positive), (below, ~positive))
    ]
    held = [np.unique(units[side]).size for side in (positive, ~positive)] + [names.size]
    terms = (sums[0] @ sums[0], sums[1] @ sums[1], 2 * sums[0] @ sums[1])
    return sum(k / (k - 1) * term for k, term in zip(held, terms, strict=True))


@pytest.mark.parametrize("setting", [LESIONS, PATIENTS])
def test_delong_and_ledell_are_those_of_the_package(setting):
    study, fold, parts, pairs = one_run(setting)
    one, two = (as_predictions(study, fold, parts, arm) for arm in (0, 1))
    effect = methods.influence(pairs, setting.photographs)
    error = methods.grouped_error(effect, study.group)
    assert error[0] == pytest.approx(influence_interval(one).standard_error, rel=1e-10)
    for group in (None, study.group):
        alone, variances = [], []
        for k in range(setting.folds):
            rows = fold == k
            units = np.arange(rows.sum()) if group is None else group[rows]
            scores = one.probability[rows], two.probability[rows]
            variances.append(paired_delong_variance(study.target[rows] == 1, *scores, units))
            alone.append(delong_interval(study.target[rows], scores[0], units).standard_error)
        found = methods.delong_error(pairs, group)
        expected = np.sqrt(sum(variances)) / setting.folds
        assert found[setting.arms] == pytest.approx(expected, rel=1e-9)
        assert found[0] == pytest.approx(np.linalg.norm(alone) / setting.folds, rel=1e-9)


def test_wilson_against_statsmodels():
    hits = np.zeros((40, 1))
    hits[:7] = 1
    low, high = proportion_confint(7, 40, method="wilson")
    alone = rates.wilson(hits)
    assert (alone["rate"], alone["low"], alone["high"]) == pytest.approx((0.175, low, high))
    # Ten copies are no more evidence than one; ten independent columns are ten times as much.
    assert rates.wilson(np.repeat(hits, 10, axis=1)) == pytest.approx(alone, rel=0.02)
    rng = np.random.default_rng(0)
    wide = rates.wilson((rng.random((400, 10)) < 0.2).astype(float))
    low, high = proportion_confint(int(wide["rate"] * 4000), 4000, method="wilson")
    assert wide["high"] - wide["low"] == pytest.approx(high - low, rel=0.15)


@pytest.fixture(scope="module")
def short():
    """Two small settings, few repetitions."""
    settings = (
        replace(LESIONS, name="null", folds=5, networks=8),
        replace(LESIONS, name="gain", folds=5, networks=8, gain=0.12),
    )
    return null_study.study(settings, repetitions=48, replicates=100, seed=4, workers=0)


def test_known_order_of_the_methods(short):
    null, gain = short["settings"]
    stars = {name: test["stars"]["rate"] for name, test in null["tests"].items()}
    assert stars[repetition.POSTER] > 0.15
    assert stars[repetition.CORRECTED] < 0.06
    assert stars[repetition.BOTH] <= min(stars[repetition.CORRECTED], stars[repetition.GROUPS])
    assert stars[repetition.WIDENED] < stars[repetition.GROUPS] < stars[repetition.POSTER]
    family = null["tests"][repetition.POSTER]["family"]["rate"]
    assert family > 3 * null["tests"][repetition.CORRECTED]["family"]["rate"]
    covered = {name: one["mean"]["training"]["rate"] for name, one in null["intervals"].items()}
    assert covered[repetition.POSTER] < 0.75 < 0.9 < covered[repetition.CORRECTED]
    assert covered[repetition.LEDELL] < covered[repetition.LEDELL_GROUPS]
    assert gain["repetitions"] == 12
    assert gain["truth"]["expected_difference"] > 0.05
    assert gain["tests"][repetition.WIDENED]["stars"]["rate"] > 0.5


def test_a_seed_gives_one_result_in_any_process_and_company():
    first, second = replace(LESIONS, name="first"), replace(PATIENTS, name="second")
    how = {"repetitions": 3, "replicates": 100, "seed": 4}
    together = null_study.study((first, second), workers=0, **how)["settings"]
    alone = null_study.study((second,), workers=1, **how)["settings"]
    assert alone == together[1:]
    assert alone != null_study.study((second,), workers=0, **how | {"seed": 5})["settings"]


def test_tables_show_every_method_and_keep_the_words_around_them(short):
    tables = text.markdown(short)
    for name in short["settings"][0]["tests"]:
        assert f"| {name} |" in tables
    once = text.replaced("", tables)
    again = text.replaced(f"before\n{once}after", "new tables")
    assert again.startswith("before")
    assert again.endswith("after")
    assert "new tables" in again
    assert "False stars" not in again


@pytest.mark.parametrize("options", [["--repetitions", "1"], ["--replicates", "10"]])
def test_too_few_is_wrong_usage(options, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["null_study.py", *options])
    with pytest.raises(SystemExit) as stopped:
        null_study.main()
    assert stopped.value.code == 2
    assert "at least 2 repetitions" in capsys.readouterr().err


def test_a_setting_that_is_there_is_not_computed_again(tmp_path, monkeypatch):
    how = {"repetitions": 2, "replicates": 100, "seed": 4, "workers": 0, "folder": tmp_path}
    first = null_study.study((LESIONS,), **how)["settings"]
    monkeypatch.setattr(null_study, "_setting", lambda *_: {})
    assert null_study.study((LESIONS,), **how)["settings"] == first
    assert null_study.study((LESIONS,), **how | {"seed": 5})["settings"] != first


def test_published_methods_are_those_of_the_settings():
    folder = ROOT / "docs" / "results"
    document = json.loads((folder / "null_study.json").read_text())
    page = (folder / "null_study.md").read_text()
    assert text.replaced(page, null_study.tables(document)) == page, "tables of another result"
    for part, result in document.items():
        assert result["repetitions"] >= 1000
        names = [one["setting"]["name"] for one in result["settings"]]
        assert names == [setting.name for setting in null_study.PARTS[part].settings]
    assert set(document) == set(null_study.PARTS)
    for one in document["methods"]["settings"]:
        if one["setting"]["gain"]:
            continue
        for name in (repetition.CORRECTED, repetition.BOTH, repetition.WIDENED):
            assert one["tests"][name]["stars"]["low"] <= 0.05, (one["setting"]["name"], name)
            assert one["tests"][name]["family"]["low"] <= 0.05, (one["setting"]["name"], name)
