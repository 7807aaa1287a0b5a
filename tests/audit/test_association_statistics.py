"""The statistics of associations, against brute force, other libraries and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from melanoscope.audit.association_statistics import clustered_score_test, within_archives
from melanoscope.stats.intervals.auroc_interval import delong_interval


def _drawn(rng: np.random.Generator, n: int, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Values, targets, groups and archives; groups share a value's level."""
    group = rng.integers(0, n // 3, n)
    level = rng.normal(size=n // 3)
    archive = (group % 3).astype(np.int64)
    target = (rng.random(n) < np.array([0.2, 0.5, 0.7])[archive]).astype(np.int64)
    values = level[group] + 0.5 * rng.normal(size=n) + shift * target + 2.0 * archive
    return values, target, group, archive


@given(st.integers(0, 10_000))
def test_within_archives_counts_pairs_of_one_archive(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, target, group, archive = _drawn(rng, 40)
    values = np.round(values)  # ties
    found = within_archives(values, target, group, archive)
    right = pairs = 0.0
    for i in np.flatnonzero(target == 1):
        for j in np.flatnonzero(target == 0):
            if archive[i] == archive[j]:
                pairs += 1
                right += (values[i] > values[j]) + (values[i] == values[j]) / 2
    if pairs == 0:
        assert found is None
    else:
        assert found is not None
        assert found.estimate == pytest.approx(right / pairs, abs=1e-12)


def test_within_archives_covers_nothing_and_an_effect() -> None:
    rng = np.random.default_rng(0)
    truth = within_archives(*_drawn(np.random.default_rng(9), 60_000, 0.6))
    assert truth is not None
    hits = {0.0: 0, 0.6: 0}
    for _ in range(300):
        for shift, centre in ((0.0, 0.5), (0.6, truth.estimate)):
            found = within_archives(*_drawn(rng, 240, shift))
            assert found is not None
            hits[shift] += found.low <= centre <= found.high
    for shift, covered in hits.items():
        assert 0.90 <= covered / 300 <= 0.99, (shift, covered)


def test_within_archives_of_one_archive_pair_is_delong() -> None:
    """Where a second archive adds no pairs, the interval is nearly Obuchowski's."""
    values, target, group, _ = _drawn(np.random.default_rng(1), 600, 0.4)
    values = (values - values.min()) / np.ptp(values)
    found = within_archives(
        np.append(values, [0.1, 0.2]),
        np.append(target, [0, 0]),
        np.append(group, [900, 901]),
        np.append(np.zeros(600, np.int64), [1, 1]),
    )
    other = delong_interval(target, values, group)
    assert found is not None
    assert found.estimate == pytest.approx(other.estimate, abs=1e-12)
    assert found.standard_error == pytest.approx(other.standard_error, rel=0.02)


def test_nothing_to_compare_within_archives() -> None:
    values, target, group, archive = _drawn(np.random.default_rng(2), 60)
    assert within_archives(values, target, group, np.zeros(60, np.int64)) is None
    assert within_archives(archive.astype(float), target, group, archive) is None
    assert within_archives(values, (archive == 1).astype(np.int64), group, archive) is None


def test_category_is_pearsons_test_where_photographs_are_alone() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    level = rng.integers(0, 4, n)
    target = (rng.random(n) < 0.3 + 0.02 * level).astype(np.int64)
    table = np.array([[((level == k) & (target == y)).sum() for y in (0, 1)] for k in range(4)])
    pearson = chi2_contingency(table, correction=False).pvalue
    assert clustered_score_test(level, target, np.arange(n)) == pytest.approx(pearson, rel=0.15)


def test_category_counts_groups() -> None:
    """Each photograph five times tells no more than once, which Pearson's test does not see."""
    rng = np.random.default_rng(4)
    rejected = {"ours": 0, "pearson": 0}
    for _ in range(400):
        level, target = rng.integers(0, 3, 150), rng.integers(0, 2, 150)
        many = [np.repeat(x, 5) for x in (level, target, np.arange(150))]
        table = np.array(
            [[((many[0] == k) & (many[1] == y)).sum() for y in (0, 1)] for k in range(3)]
        )
        rejected["ours"] += clustered_score_test(*many) < 0.05
        rejected["pearson"] += chi2_contingency(table, correction=False).pvalue < 0.05
    assert rejected["ours"] / 400 < 0.08
    assert rejected["pearson"] / 400 > 0.3


def test_rare_levels_are_put_together() -> None:
    level = np.array([0] * 50 + [1] * 50 + list(range(2, 8)))
    target = np.tile([0, 1], 53)
    assert 0 < clustered_score_test(level, target, np.arange(106)) <= 1
    # A level that one group holds says nothing: all photographs but those are of one level.
    assert (
        clustered_score_test(np.array([0] * 20 + [1] * 3), np.tile([0, 1], 12)[:23], np.arange(23))
        == 1
    )
