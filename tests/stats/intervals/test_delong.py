"""DeLong against pROC's published numbers and brute force, Obuchowski against her formula."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.intervals.auroc_interval import delong_interval
from melanoscope.stats.intervals.delong_test import delong_test
from melanoscope.stats.predictions import Predictions


@pytest.fixture(scope="module")
def asah() -> dict[str, np.ndarray]:
    """113 patients with a subarachnoid haemorrhage: outcome, and ranks of three markers.

    Turck et al. (2010), doi 10.1007/s00134-009-1641-y, the example data of pROC. The ranks are
    regained from the placements that pROC's own tests publish (share of the other class below each
    patient), and keep every comparison of a poor with a good outcome: all that a ROC curve sees.
    Twice the good outcomes below, so whole numbers up to 144; brought to 0..1 here.
    """
    with (Path(__file__).parent / "asah.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {
        "outcome": np.array([int(r["poor_outcome"]) for r in rows]),
        **{m: np.array([int(r[m]) / 144 for r in rows]) for m in ("s100b", "wfns", "ndka")},
    }


# Of pROC's tests: AUROC and its DeLong variance.
PUBLISHED = {
    "s100b": (0.731368563685637, 0.00266868245717244),
    "wfns": (0.823678861788618, 0.00146991470882363),
    "ndka": (0.611957994579946, 0.0031908105493913),
}


@pytest.mark.parametrize("marker", PUBLISHED)
def test_variance_is_as_published(asah: dict[str, np.ndarray], marker: str) -> None:
    found = delong_interval(asah["outcome"], asah[marker])
    area, variance = PUBLISHED[marker]
    assert found.estimate == pytest.approx(area, abs=1e-12)
    assert found.standard_error**2 == pytest.approx(variance, abs=1e-12)
    assert (found.n, found.unit) == (113, "photographs")


def test_interval_is_as_published(asah: dict[str, np.ndarray]) -> None:
    found = delong_interval(asah["outcome"], asah["s100b"])
    assert (found.low, found.high) == pytest.approx((0.6301, 0.8326), abs=5e-5)
    found = delong_interval(asah["outcome"], asah["ndka"])
    assert (found.low, found.high) == pytest.approx((0.501244999271703, 0.722670989888189))


@pytest.mark.parametrize(
    ("marker", "upper", "lower"),
    [
        ("wfns", 0.0400999322493225, 0.0609953703703703),
        ("ndka", 0.0037940379403794, 0.0242547425474255),
    ],
)
def test_partial_area_is_as_published(
    asah: dict[str, np.ndarray], marker: str, upper: float, lower: float
) -> None:
    """PROC's partial areas with focus on sensitivity, from 0.9 and between 0.8 and 0.9."""
    fold = RankedFold.of(asah["outcome"], asah[marker], np.arange(113), 113)
    found = fold.metrics(np.ones((113, 1), np.float32))["pauc_above_sensitivity"]
    assert found == pytest.approx([upper + lower], abs=1e-12)


def _pairs(target: np.ndarray, score: np.ndarray) -> np.ndarray:
    x, y = score[target == 1], score[target == 0]
    return (x[:, None] > y).astype(float) + (x[:, None] == y) / 2


def _brute(target: np.ndarray, score: np.ndarray) -> float:
    """DeLong's variance from all pairs."""
    psi = _pairs(target, score)
    n, m = psi.shape
    return psi.mean(axis=1).var(ddof=1) / n + psi.mean(axis=0).var(ddof=1) / m


@pytest.mark.parametrize("decimals", [1, 12])
def test_variance_is_that_of_all_pairs(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    target = (rng.random(80) < 0.3).astype(int)
    score = np.round(rng.random(80), decimals)
    found = delong_interval(target, score)
    assert found.standard_error**2 == pytest.approx(_brute(target, score), abs=1e-12)


def _obuchowski(target: np.ndarray, score: np.ndarray, group: np.ndarray) -> float:
    """Her variance, term by term, with sums of placements by cluster."""
    psi = _pairs(target, score)
    n, m, area = *psi.shape, psi.mean()
    clusters = np.unique(group)
    v, w = psi.mean(axis=1), psi.mean(axis=0)
    of = [(v[group[target == 1] == c], w[group[target == 0] == c]) for c in clusters]
    i, i10, i01 = len(of), sum(x.size > 0 for x, _ in of), sum(y.size > 0 for _, y in of)
    above = np.array([x.sum() - x.size * area for x, _ in of])
    below = np.array([y.sum() - y.size * area for _, y in of])
    s10 = i10 / ((i10 - 1) * n) * (above**2).sum()
    s01 = i01 / ((i01 - 1) * m) * (below**2).sum()
    s11 = i / (i - 1) * (above * below).sum()
    return s10 / n + s01 / m + 2 * s11 / (n * m)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 12), st.sampled_from([1, 2, 9]))
def test_clustered_variance_is_obuchowskis(seed: int, clusters: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    group = rng.integers(0, clusters, n)
    target = (rng.random(n) < 0.4).astype(int)
    # Each class in two clusters, whatever was drawn.
    group[:4], target[:4] = (0, 1, 0, 1), (0, 0, 1, 1)
    score = np.round(rng.random(n), decimals)
    found = delong_interval(target, score, group)
    expected = _obuchowski(target, score, group)
    assert found.standard_error**2 == pytest.approx(max(expected, 0), abs=1e-12)
    assert (found.n, found.unit) == (np.unique(group).size, "groups")


def test_groups(make: Callable[..., Predictions]) -> None:
    one = make(n=400, patients=400, folds=1, decimals=2)
    alone = delong_interval(one.target, one.probability)
    own = delong_interval(one.target, one.probability, np.arange(400).astype(str))
    assert own.standard_error == pytest.approx(alone.standard_error, abs=1e-12)
    # Everything three times in its group: the same information as once.
    tiled = [np.tile(v, 3) for v in (one.target, one.probability, np.arange(400))]
    thrice = delong_interval(*tiled)
    assert thrice.standard_error == pytest.approx(alone.standard_error, rel=1e-9)
    naive = delong_interval(*tiled[:2])
    assert naive.standard_error == pytest.approx(alone.standard_error / np.sqrt(3), rel=0.01)


def test_separation_and_ties() -> None:
    target = np.random.default_rng(1).integers(0, 2, 60)
    apart = delong_interval([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert (apart.low, apart.high) == (1, 1)
    tied = delong_interval(target, np.full(60, 0.3))
    assert (tied.low, tied.estimate, tied.high) == (0.5, 0.5, 0.5)


def test_too_few_groups_of_a_class_and_values_that_cannot_be() -> None:
    target, p = [1, 1, 0, 0], [0.5, 0.2, 0.1, 0.3]
    with pytest.raises(StatisticsError, match="at least 2 photographs with positives; found 1"):
        delong_interval([1, 0, 0], [0.5, 0.2, 0.1])
    with pytest.raises(StatisticsError, match="at least 2 groups with positives; found 1"):
        delong_interval(target, p, [1, 1, 2, 3])
    with pytest.raises(StatisticsError, match="at least 2 groups with negatives; found 1"):
        delong_interval(target, p, [1, 2, 3, 3])
    with pytest.raises(StatisticsError, match="groups of shape"):
        delong_interval(target, p, [1, 2, 3])
    with pytest.raises(StatisticsError, match="a group for every photograph"):
        delong_interval(target, p, [1, 2, 3, np.nan])
    with pytest.raises(StatisticsError, match="a group for every photograph; found None"):
        delong_interval(target, p, ["a", "b", None, "c"])
    with pytest.raises(StatisticsError, match="1 outside or NaN"):
        delong_interval(target, [0.5, 0.2, 0.1, np.nan])


def test_paired_test_is_as_published(asah: dict[str, np.ndarray]) -> None:
    """Of pROC's README: roc.test of wfns and s100b, Z = 2.209, p-value = 0.02718."""
    found = delong_test(asah["outcome"], asah["wfns"], asah["s100b"])
    assert found.z == pytest.approx(2.209, abs=5e-4)
    assert found.p_value == pytest.approx(0.02718, abs=5e-6)
    assert found.difference.estimate == pytest.approx(0.8236789 - 0.7313686, abs=1e-6)


def _covariance(one: np.ndarray, other: np.ndarray) -> float:
    return sum(
        float(np.cov(one.mean(axis=axis), other.mean(axis=axis))[0, 1]) / one.shape[1 - axis]
        for axis in (0, 1)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 9]))
def test_paired_variance_is_that_of_the_covariances(seed: int, decimals: int) -> None:
    """DeLong's equation: var(a) + var(b) - 2 cov(a, b), each from all pairs."""
    rng = np.random.default_rng(seed)
    target = np.arange(60) % 3 // 2
    a, b = (np.round(rng.random(60) * 0.5 + 0.2 * target, decimals) for _ in range(2))
    x, y = _pairs(target, a), _pairs(target, b)
    expected = _covariance(x, x) + _covariance(y, y) - 2 * _covariance(x, y)
    found = delong_test(target, a, b)
    assert found.difference.standard_error**2 == pytest.approx(expected, abs=1e-12)
    assert found.difference.estimate == pytest.approx(x.mean() - y.mean())


def test_paired_test_counts_patients_once(make: Callable[..., Predictions]) -> None:
    one, other = make(n=300, patients=300, folds=1), make(n=300, patients=300, folds=1, seed=0)
    rng = np.random.default_rng(0)
    noisy = np.clip(other.probability + 0.1 * rng.normal(size=300), 0, 1)
    alone = delong_test(one.target, one.probability, noisy)
    target, a, b, group = (
        np.tile(v, 3) for v in (one.target, one.probability, noisy, np.arange(300))
    )
    thrice = delong_test(target, a, b, group)
    assert thrice.z == pytest.approx(alone.z)
    assert delong_test(target, a, b).z == pytest.approx(alone.z * np.sqrt(3), rel=0.01)
    assert (thrice.difference.n, thrice.difference.unit) == (300, "groups")
    back = delong_test(target, b, a, group)
    assert (back.z, back.p_value) == (-thrice.z, thrice.p_value)


def test_paired_test_of_networks_that_rank_alike() -> None:
    target, a = [0, 1, 0, 1, 1, 0], np.array([0.1, 0.3, 0.4, 0.6, 0.5, 0.2])
    found = delong_test(target, a, a**2)
    assert (found.difference.estimate, found.z, found.p_value) == (0.0, 0.0, 1.0)


def test_paired_test_refuses_one_positive() -> None:
    with pytest.raises(StatisticsError, match="at least 2 photographs with positives"):
        delong_test([0, 0, 1], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1])
