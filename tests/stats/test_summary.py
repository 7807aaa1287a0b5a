"""Rows, pairs and families."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import corrected_t_test
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.intervals.wald import equivalence_p_value
from melanoscope.stats.predictions import CellPredictions
from melanoscope.stats.summary import summarize

FOLDS = 4
PLANNED = [
    ("a", "scratch"),
    ("a", "finetune"),
    ("b", "scratch"),
    ("b", "finetune"),
    ("c", "scratch"),
]
SKILL = {("a", "scratch"): 0.5, ("a", "finetune"): 2.5, ("b", "scratch"): 1.0}


def make_cells():
    rng = np.random.default_rng(7)
    cells = []
    for fold in range(FOLDS):
        target = (np.arange(120) % 5 == 0).astype(np.int64)
        for key in PLANNED:
            logit = rng.normal(size=120) + SKILL.get(key, 1.0) * target - 1
            cells.append(
                CellPredictions(
                    backbone=key[0],
                    transfer=key[1],
                    repeat=0,
                    fold=fold,
                    image_id=np.array([f"f{fold}-{i}" for i in range(120)]),
                    target=target,
                    probability=1 / (1 + np.exp(-logit)),
                    threshold=0.4,
                    n_train=360,
                )
            )
    return cells


@pytest.fixture
def cells():
    return make_cells()


def test_rows_hold_the_mean_of_fold_metrics_on_probabilities(cells):
    summary = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    row = summary.row("a", "finetune")
    expected = [
        roc_auc_score(c.target, c.probability)
        for c in cells
        if (c.backbone, c.transfer) == ("a", "finetune")
    ]
    assert row.values["auroc"] == pytest.approx(expected, abs=1e-12)
    assert row.over_folds["auroc"].estimate == pytest.approx(np.mean(expected), abs=1e-12)
    assert (row.n_train, row.n_test, row.prevalence) == (360, 120, 0.2)
    assert row.values["auroc"] != row.values["balanced_accuracy"], "rounded somewhere"


def test_seeds_are_averaged_and_make_no_more_results(cells):
    """Several trainings of one fold are one result (Bouckaert & Frank 2004: J is folds x repeats).

    Copies of all cells as further seeds say nothing new: every interval and test stays.
    """
    copies = [replace(cell, seed_index=s) for s in range(3) for cell in cells]
    once = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    thrice = summarize(copies, planned=PLANNED, cells_per_row=3 * FOLDS)
    for one, other in zip(once.rows, thrice.rows, strict=True):
        assert (other.complete, other.finished, other.keys) == (True, 3 * FOLDS, one.keys)
        assert one.over_folds
        for metric, interval in one.over_folds.items():
            assert other.over_folds[metric].half_width == pytest.approx(interval.half_width)
            assert other.over_folds[metric].n == FOLDS
    for one, other in zip(once.comparisons, thrice.comparisons, strict=True):
        assert other.test.p_value == pytest.approx(one.test.p_value)
    with pytest.raises(StatisticsError, match="s1 twice"):
        summarize([*copies, copies[20]], planned=PLANNED, cells_per_row=3 * FOLDS)


def test_seeds_taken_for_results_would_print_false_stars():
    """Type I error of the one-sided test where transfer changes nothing, at 5 folds and 4 seeds."""
    rng, runs, folds, seeds = np.random.default_rng(0), 2000, 5, 4
    # Differences of one fold hang together, whose photographs all seeds share; those of all folds
    # do by a fifth, as the correction has it.
    of_folds = rng.normal(0, 1, (runs, folds, 1)) + rng.normal(0, 0.5, (runs, 1, 1))
    differences = of_folds + rng.normal(0, 0.5, (runs, folds, seeds))
    sizes = {"n_train": 400.0, "n_test": 100.0}
    averaged = [corrected_t_test(one.mean(axis=1), **sizes).p_value < 0.05 for one in differences]
    one_by_one = [corrected_t_test(one.ravel(), **sizes).p_value < 0.05 for one in differences]
    margin = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert np.mean(averaged) < 0.05 + margin
    assert np.mean(one_by_one) > 0.05 + margin


def test_order_of_cells_does_not_matter(cells):
    one = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    other = summarize(cells[::-1], planned=PLANNED, cells_per_row=FOLDS)
    assert one == other


def test_comparisons_are_paired_by_fold_and_adjusted_per_family(cells):
    summary = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    p = []
    for backbone in "ab":
        values = {
            arm: np.array(summary.row(backbone, arm).values["f1"])
            for arm in ("scratch", "finetune")
        }
        d = values["finetune"] - values["scratch"]
        t = d.mean() / np.sqrt(d.var(ddof=1) * (1 / FOLDS + 120 / 360))
        p.append(stats.t.sf(t, FOLDS - 1))
    ours = [summary.comparison(b, "finetune", "f1") for b in "ab"]
    assert [c.test.p_value for c in ours] == pytest.approx(p, rel=1e-9)
    assert [c.p_holm for c in ours] == pytest.approx(multipletests(p, method="holm")[1], rel=1e-9)
    assert summary.comparison("c", "finetune", "f1") is None
    assert set(summary.overall) == {"finetune"}


def test_stars_follow_the_adjusted_p_value(cells):
    comparison = summarize(cells, planned=PLANNED, cells_per_row=FOLDS).comparisons[0]
    marks = [replace(comparison, p_holm=p).stars for p in (0.0009, 0.001, 0.049, 0.05)]
    assert marks == ["**", "*", "*", ""]


def test_unfinished_rows_are_kept_and_not_compared(cells):
    lost = [c for c in cells if not (c.backbone == "a" and c.transfer == "finetune" and c.fold > 1)]
    lost = [c for c in lost if (c.backbone, c.transfer) != ("c", "scratch")]
    summary = summarize(lost, planned=PLANNED, cells_per_row=FOLDS)
    row, empty = summary.row("a", "finetune"), summary.row("c", "scratch")
    assert (len(row.keys), row.complete, row.above) == (2, False, {})
    assert row.over_folds["auroc"].n == 2
    assert (empty.keys, empty.over_folds, empty.complete) == ((), {}, False)
    assert np.isnan(empty.estimate("auroc"))
    assert {c.backbone for c in summary.comparisons} == {"b"}


def test_a_single_fold_has_estimates_without_intervals(cells):
    first = [c for c in cells if c.fold == 0]
    summary = summarize(first, planned=PLANNED, cells_per_row=1)
    assert 0 < summary.row("a", "scratch").estimate("auroc") < 1
    assert (summary.row("a", "scratch").intervals, summary.comparisons) == ({}, ())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: [*c, c[0]], "twice"),
        (lambda c: [*c, replace(c[0], backbone="z")], "unplanned"),
        (lambda c: [replace(c[0], target=c[0].target[::-1]), *c[1:]], "same test photographs"),
        # The same outcomes in the same order, and yet other photographs.
        (lambda c: [replace(c[0], image_id=c[0].image_id[::-1]), *c[1:]], "same test photographs"),
        (lambda c: [replace(c[0], image_id=c[5].image_id), *c[1:]], "same test photographs"),
    ],
)
def test_mixed_runs_are_refused(cells, spoil, said):
    with pytest.raises(StatisticsError, match=said):
        summarize(spoil(cells), planned=PLANNED, cells_per_row=FOLDS)


def test_the_bound_beside_a_star_is_above_zero_and_no_other(cells):
    comparisons = summarize(cells, planned=PLANNED, cells_per_row=FOLDS).comparisons
    assert {bool(c.stars) for c in comparisons} == {True, False}
    for one in comparisons:
        for p_holm in (one.test.p_value, min(one.p_holm, 1.0), 1.0):
            moved = replace(one, p_holm=max(p_holm, one.test.p_value))
            assert (moved.lower_bound > 0) == bool(moved.stars)


def test_the_smallest_starred_difference_is_just_starred(cells):
    summary = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    aurocs = [c for c in summary.comparisons if c.metric == "auroc"]
    error = np.median([c.test.difference.standard_error for c in aurocs])
    smallest = summary.smallest_starred["finetune"]
    assert stats.t.sf(smallest / error, FOLDS - 1) * len(aurocs) == pytest.approx(0.05)
    # Of five folds and eleven networks t must be above 4.6.
    assert stats.t.isf(0.05 / 11, 4) == pytest.approx(4.73, abs=0.01)


def test_equivalence_is_tested_for_auroc_alone_and_adjusted(cells):
    summary = summarize(cells, planned=PLANNED, cells_per_row=FOLDS)
    for one in summary.comparisons:
        assert (one.p_equivalence is None) == (one.metric != "auroc")
    tested = [c for c in summary.comparisons if c.metric == "auroc"]
    p = [equivalence_p_value(c.test, MARGIN) for c in tested]
    expected = multipletests(p, method="holm")[1]
    assert [c.p_equivalence for c in tested] == pytest.approx(expected, rel=1e-9)
    poster = summarize(cells, planned=PLANNED, cells_per_row=FOLDS, protocol="poster")
    assert {c.p_equivalence for c in poster.comparisons} == {None}
    assert not poster.smallest_starred
