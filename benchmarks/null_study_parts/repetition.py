"""One simulated study and everything that is computed from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import norm, ttest_ind

from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    corrected_t_interval,
    corrected_t_test,
    crossval_interval,
    crossval_test,
    crossval_variance,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.wald import effective_degrees_of_freedom
from null_study_parts.methods import (
    Bounds,
    Ranked,
    bootstrap,
    bootstrap_p,
    delong_error,
    draws,
    grouped_error,
    influence,
    normal_bounds,
    percentile_bounds,
    ranked,
    strata,
    student_bounds,
    with_differences,
)
from null_study_parts.simulate import Floats, Ints, Setting, Study, divide, draw, trained_parts

POSTER = "poster's design"
UNPAIRED = "unpaired t over folds"
NAIVE = "t over folds"
CORRECTED = "corrected resampled t"
GROUPS = "group bootstrap"
BOTH = "both: corrected t and group bootstrap"
DELONG = "DeLong"
DELONG_GROUPS = "DeLong by group"
LEDELL = "LeDell"
LEDELL_GROUPS = "LeDell by group"
PHOTOGRAPHS = "photograph bootstrap"
FACTOR = "group bootstrap x factor"
WIDENED = "group bootstrap widened"
RESCALED = "group bootstrap rescaled"
UNTOUCHED = "group bootstrap of untouched photographs"

FEW_ARMS = 2
"""Arms for the two slow checks: photographs drawn one by one, and untouched photographs."""


@dataclass(eq=False)
class Outcome:
    """What one repetition gave.

    Attributes:
        p: Test -> one-sided p of A above B, shape (networks,), or fewer of them.
        holm: The same after Holm over the networks.
        bounds: Interval -> bounds of arms, then of differences A - B.
        truth: Mean true AUROC of each arm's networks, then differences, shape (arms + networks,).
        poster_truth: The same for the networks of the poster's design.
        estimate: Mean AUROC over the test parts, then differences.
    """

    p: dict[str, Floats] = field(default_factory=dict)
    holm: dict[str, Floats] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    truth: Floats = field(default_factory=lambda: np.empty(0))
    poster_truth: Floats = field(default_factory=lambda: np.empty(0))
    estimate: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """A study, its networks' results on the folds, and what the methods need besides.

    Attributes:
        setting: The kind of study.
        study: The photographs.
        fold: Fold of each photograph in the first repeat.
        pairs: One per cell.
        auroc: Per cell, arms then differences, shape (cells, arms + networks).
        n_train: Mean photographs trained on.
        n_test: Mean photographs tested on.
    """

    setting: Setting
    study: Study
    fold: Ints
    pairs: list[Ranked]
    auroc: Floats
    n_train: float
    n_test: float


def repetition(setting: Setting, seed: list[int], replicates: int) -> Outcome:
    """Simulate one study of a setting and compute every test and interval."""
    rng = np.random.default_rng(seed)
    study, out = draw(setting, rng), Outcome()
    divisions = [divide(study, setting.folds, rng) for _ in range(setting.repeats)]
    parts = [part for fold in divisions for part in trained_parts(setting, study, fold, rng)]
    pairs = [ranked(study, part) for part in parts]
    auroc = with_differences(np.stack([pair.auroc for pair in pairs]))
    sizes = ([part.n_train for part in parts], [part.photograph.size for part in parts])
    n_train, n_test = (float(np.mean(size)) for size in sizes)
    run = CrossValidated(setting, study, divisions[0], pairs, auroc, n_train, n_test)
    out.truth = with_differences(np.mean([part.truth for part in parts], axis=0))
    out.estimate = auroc.mean(axis=0)
    _over_folds(run, out)
    _over_photographs(run, out)
    _resampled(run, replicates, rng, out)
    if setting.repeats == 1:
        _poster(run, replicates, rng, out)
    out.holm = {test: holm(p) for test, p in out.p.items()}
    return out


def _over_folds(run: CrossValidated, out: Outcome) -> None:
    """The unpaired t-test, the ordinary t interval and the corrected ones, over cells."""
    cells, arms = len(run.auroc), run.setting.arms
    error = run.auroc.std(axis=0, ddof=1) / np.sqrt(cells)
    out.bounds[NAIVE] = student_bounds(out.estimate, error, cells - 1)
    a, b = run.auroc[:, 0:arms:2], run.auroc[:, 1:arms:2]
    out.p[UNPAIRED] = np.asarray(ttest_ind(a, b, axis=0, alternative="greater").pvalue)
    sizes: dict[str, Any] = {"n_train": run.n_train, "n_test": run.n_test}
    found = [
        corrected_t_interval(
            values, n_train=run.n_train, n_test=run.n_test, on_logit_scale=arm < arms
        )
        for arm, values in enumerate(run.auroc.T)
    ]
    out.bounds[CORRECTED] = Bounds(
        np.array([one.low for one in found]), np.array([one.high for one in found])
    )
    tests = [corrected_t_test(values, **sizes) for values in run.auroc.T[arms:]]
    out.p[CORRECTED] = np.array([one.p_value for one in tests])


def _over_photographs(run: CrossValidated, out: Outcome) -> None:
    """DeLong and LeDell, with and without groups."""
    effect = with_differences(influence(run.pairs, run.setting.photographs))
    errors = {
        LEDELL: grouped_error(effect, np.arange(run.setting.photographs)),
        LEDELL_GROUPS: grouped_error(effect, run.study.group),
    }
    if run.setting.repeats == 1:  # the parts of two repeats are not disjoint
        errors[DELONG] = delong_error(run.pairs)
        errors[DELONG_GROUPS] = delong_error(run.pairs, run.study.group)
    for name, error in errors.items():
        out.bounds[name] = normal_bounds(out.estimate, error)
        out.p[name] = np.asarray(norm.sf((out.estimate / error)[run.setting.arms :]), np.float64)


def _resampled(
    run: CrossValidated, replicates: int, rng: np.random.Generator, out: Outcome
) -> None:
    """The bootstrap by group and what is built on it; by photograph for comparison."""
    group, target = run.study.group, run.study.target
    stratum = strata(group, target, run.fold)
    values = with_differences(bootstrap(run.pairs, group, draws(stratum, replicates, rng)))
    _percentile(GROUPS, values, run.setting.arms, out)
    out.p[BOTH] = np.maximum(out.p[CORRECTED], out.p[GROUPS])
    variance = values.var(axis=0, ddof=1)
    share = run.n_test / (run.n_train + run.n_test)
    factor = np.sqrt((1 + (run.setting.folds - 1) * share) * variance)
    out.bounds[FACTOR] = normal_bounds(out.estimate, factor)
    out.p[FACTOR] = np.asarray(norm.sf((out.estimate / factor)[run.setting.arms :]), np.float64)
    weight = draws(stratum, replicates, rng, rescale=True)
    values = with_differences(bootstrap(run.pairs, group, weight))
    _percentile(RESCALED, values, run.setting.arms, out)
    effect = with_differences(influence(run.pairs, run.setting.photographs))
    freedom = np.array([effective_degrees_of_freedom(one, group) for one in effect.T])
    _widen(WIDENED, run, values.var(axis=0, ddof=1), freedom, out)
    single = np.arange(run.setting.photographs)
    weight = draws(strata(single, target, run.fold), replicates, rng)
    few = [pair.first(FEW_ARMS) for pair in run.pairs]
    values = with_differences(bootstrap(few, single, weight))
    _percentile(PHOTOGRAPHS, values, FEW_ARMS, out)


def _percentile(name: str, values: Floats, arms: int, out: Outcome) -> None:
    out.bounds[name] = percentile_bounds(values)
    out.p[name] = bootstrap_p(values[:, arms:])


def _widen(name: str, run: CrossValidated, variance: Floats, freedom: Floats, out: Outcome) -> None:
    """The package's own interval and test, from this bootstrap's variances, shape (m,)."""
    design = CrossValidation(run.setting.folds, run.n_train, run.n_test)
    arms, groups = run.setting.arms, int(run.study.group.max()) + 1
    low, high, p = [], [], []
    for i, (v, df) in enumerate(zip(variance.tolist(), freedom.tolist(), strict=True)):
        widened = crossval_variance(Variance(v, df), design, run.auroc[:, i])
        if i < arms:
            found = crossval_interval(float(out.estimate[i]), widened, groups=groups)
        else:
            test = crossval_test(float(out.estimate[i]), widened, groups=groups)
            found = test.difference
            p.append(test.p_value)
        low.append(found.low)
        high.append(found.high)
    out.bounds[name], out.p[name] = Bounds(np.array(low), np.array(high)), np.array(p)


def _poster(run: CrossValidated, replicates: int, rng: np.random.Generator, out: Outcome) -> None:
    """A fifth for testing, and as many networks as folds trained on parts of the rest.

    The fifth holds whole groups, which is kinder than the poster's split by photograph. As no
    network was trained on it, it also shows the bootstrap where its assumptions hold.
    """
    setting, study = run.setting, run.study
    fifth = divide(study, 5, rng) == 0
    fixed, rest = np.flatnonzero(fifth), np.flatnonzero(~fifth)
    kept = Study(
        np.unique(study.group[rest], return_inverse=True)[1],
        study.target[rest],
        study.features[rest],
    )
    fold = np.full(setting.photographs, -1)
    fold[rest] = divide(kept, setting.folds, rng)
    parts = trained_parts(setting, study, fold, rng, fixed)
    pairs = [ranked(study, part) for part in parts]
    auroc = np.stack([pair.auroc for pair in pairs])
    out.poster_truth = with_differences(np.mean([part.truth for part in parts], axis=0))
    test = ttest_ind(auroc[:, ::2], auroc[:, 1::2], axis=0, alternative="greater")
    out.p[POSTER] = np.asarray(test.pvalue)
    error = auroc.std(axis=0, ddof=1) / np.sqrt(len(auroc))
    own = student_bounds(auroc.mean(axis=0), error, len(auroc) - 1)
    apart = ttest_ind(auroc[:, ::2], auroc[:, 1::2], axis=0).confidence_interval(0.95)
    out.bounds[POSTER] = Bounds(
        np.concatenate([own.low, apart.low]), np.concatenate([own.high, apart.high])
    )
    stratum = strata(study.group, study.target, fifth.astype(np.int64))
    weight = draws(stratum, replicates, rng)
    few = [pair.first(FEW_ARMS) for pair in pairs]
    out.bounds[UNTOUCHED] = percentile_bounds(with_differences(bootstrap(few, study.group, weight)))
