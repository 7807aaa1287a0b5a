"""From the outcomes of all repetitions of a setting to rates with their Monte Carlo intervals."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from null_study_parts.methods import Z
from null_study_parts.repetition import POSTER, UNTOUCHED, Outcome
from null_study_parts.simulate import Floats, Setting

ALPHA = 0.05
Booleans = NDArray[np.bool_]
Entry = dict[str, float]


def wilson(hits: Floats, given: Booleans | None = None) -> Entry:
    """Mean of hits with its Wilson (1927) interval.

    The hits of one repetition share photographs, so the repetitions are what is counted: n is the
    number of independent hits that would vary as much, between the repetitions and all hits.

    Args:
        hits: 0 or 1, shape (repetitions, m).
        given: Which of them count, of the same shape; None for all.

    >>> {k: round(v, 4) for k, v in wilson(np.array([[1.0], [0], [0], [0]])).items()}
    {'rate': 0.25, 'low': 0.0456, 'high': 0.6994}
    """
    given = np.ones(hits.shape, bool) if given is None else given
    kept = given.any(axis=1)
    means = (hits * given).sum(axis=1)[kept] / given.sum(axis=1)[kept]
    repetitions, each = means.size, hits.shape[1]
    if not repetitions:
        return {"rate": np.nan, "low": np.nan, "high": np.nan}
    rate, n = float(means.mean()), float(repetitions)
    between = float(means.var(ddof=1)) / repetitions if repetitions > 1 else 0.0
    if each > 1 and between > 0:
        n = float(np.clip(rate * (1 - rate) / between, repetitions, repetitions * each))
    centre = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n * n))
    return {"rate": rate, "low": float(centre - half), "high": float(centre + half)}


def rates(setting: Setting, outcomes: list[Outcome]) -> dict[str, object]:
    """Summarise one setting.

    Returns:
        "tests": test -> "stars" (share of p below 0.05) and, where all networks were tested,
        "after_holm" (share of networks) and "family" (share of repetitions with any star after
        Holm); "intervals": interval -> "mean" and "difference", each with "training" (coverage of
        the expectation over training sets), "networks" (of these networks' own mean true AUROC)
        and "half_width"; "truth": what was simulated.
    """
    arms = setting.arms
    truth = np.array([one.truth for one in outcomes])
    estimate = np.array([one.estimate for one in outcomes])
    tests: dict[str, dict[str, Entry]] = {}
    for name in outcomes[0].p:
        starred = np.array([one.p[name] for one in outcomes]) < ALPHA
        tests[name] = {"stars": wilson(starred.astype(np.float64))}
        if starred.shape[1] == setting.networks > 1:
            adjusted = (np.array([one.holm[name] for one in outcomes]) < ALPHA).astype(np.float64)
            tests[name]["after_holm"] = wilson(adjusted)
            tests[name]["family"] = wilson(adjusted.max(axis=1, keepdims=True))
    intervals = {}
    for name in outcomes[0].bounds:
        own = truth
        if name in (POSTER, UNTOUCHED):
            own = np.array([one.poster_truth for one in outcomes])
        intervals[name] = _coverage(setting, name, outcomes, own)
    error = estimate - truth
    return {
        "setting": asdict(setting),
        "repetitions": len(outcomes),
        "truth": {
            "expected_auroc_b": float(truth[:, 1:arms:2].mean()),
            "expected_difference": float(truth[:, arms:].mean()) if setting.gain else 0.0,
            "sd_between_training_sets": float(truth[:, 1:arms:2].std()),
            "sd_of_estimate_about_its_networks": float(error[:, 1:arms:2].std()),
            "bias_about_its_networks": float(error[:, :arms].mean()),
        },
        "tests": tests,
        "intervals": intervals,
    }


def _coverage(
    setting: Setting, name: str, outcomes: list[Outcome], own: Floats
) -> dict[str, dict[str, object]]:
    low = np.array([one.bounds[name].low for one in outcomes])
    high = np.array([one.bounds[name].high for one in outcomes])
    arms = low.shape[1] * 2 // 3
    expected = expectation(setting, own)
    found: dict[str, dict[str, object]] = {}
    for what, columns, start in (
        ("mean", slice(0, arms), 0),
        ("difference", slice(arms, None), setting.arms),
    ):
        below, above = low[:, columns], high[:, columns]
        these = slice(start, start + below.shape[1])
        covered = {
            "training": (below <= expected[these]) & (expected[these] <= above),
            "networks": (below <= own[:, these]) & (own[:, these] <= above),
        }
        found[what] = {target: wilson(hit.astype(np.float64)) for target, hit in covered.items()}
        found[what]["half_width"] = float((above - below).mean() / 2)
    return found


def expectation(setting: Setting, own: Floats) -> Floats:
    """Expected true AUROC over training sets, arms then differences, shape (arms + networks,).

    All arms of a kind have one expectation: the mean over them and all repetitions, whose Monte
    Carlo error is below a hundredth of an interval's width. The null difference is exactly 0.
    """
    a, b = float(own[:, 0 : setting.arms : 2].mean()), float(own[:, 1 : setting.arms : 2].mean())
    if not setting.gain:
        a = b = (a + b) / 2
    return np.array([a, b] * setting.networks + [a - b] * setting.networks)
