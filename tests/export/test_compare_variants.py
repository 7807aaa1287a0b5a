"""The int8 variant is accepted where it loses little, by the figures of scikit-learn."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import recall_score, roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.export.quantization import compare_variants

LOGITS = hnp.arrays(np.float64, 40, elements=st.floats(-60, 60))


@settings(max_examples=40)
@given(LOGITS, LOGITS, st.floats(-5, 5))
def test_figures_are_those_of_scikit_learn(before, after, threshold):
    target = np.arange(40) % 3 == 0
    found = compare_variants(target, before, after, threshold)
    assert found.auroc_float32 == pytest.approx(roc_auc_score(target, before))
    assert found.auroc_int8 == pytest.approx(roc_auc_score(target, after))
    for logit, positive, negative in (
        (before, found.sensitivity_float32, found.specificity_float32),
        (after, found.sensitivity_int8, found.specificity_int8),
    ):
        called = logit >= threshold
        assert positive == pytest.approx(recall_score(target, called))
        assert negative == pytest.approx(recall_score(target, called, pos_label=0))
    kept = (
        abs(found.auroc_int8 - found.auroc_float32) <= 0.005 + 1e-9
        and abs(found.sensitivity_int8 - found.sensitivity_float32) <= 0.01 + 1e-9
    )
    assert found.accepted == kept
    assert (found.why is None) == kept
    assert found.photographs == 40
    assert found.positives == 14
    assert found.decided_otherwise == np.mean((before >= threshold) != (after >= threshold))
    json.dumps(msgspec.structs.asdict(found), allow_nan=False)


def spread(n=400, share=0.25):
    """Logits in which a quarter are melanomas, most of them high."""
    rng = np.random.default_rng(0)
    target = np.arange(n) < share * n
    return target, rng.normal(2 * target, 1.0)


def test_a_variant_that_ranks_worse_is_refused():
    target, logit = spread()
    worse = logit + np.random.default_rng(1).normal(0, 1, logit.size)
    found = compare_variants(target, logit, worse, -100.0)
    assert not found.accepted
    assert f"AUROC {found.auroc_int8:.3f} instead of {found.auroc_float32:.3f}" in found.why
    assert "sensitivity" not in found.why


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_a_variant_that_calls_otherwise_is_refused_in_either_direction(shift):
    target, logit = spread()
    found = compare_variants(target, logit, logit + shift, 1.0)
    assert not found.accepted
    assert "sensitivity" in found.why
    assert "AUROC" not in found.why


@pytest.mark.parametrize(("lost", "accepted"), [(0, True), (1, True), (2, False)])
def test_one_melanoma_of_a_hundred_is_one_point_and_may_be_lost(lost, accepted):
    target = np.repeat([True, False], 100)
    logit = np.where(target, 1.0, -1.0) + np.linspace(0, 1e-3, 200)
    changed = logit.copy()
    changed[95 : 95 + lost] = -1e-6  # no longer called, but still above all others
    found = compare_variants(target, logit, changed, 0.0)
    assert found.accepted is accepted
    assert found.sensitivity_int8 == pytest.approx(1 - lost / 100)


def test_high_logits_are_no_ties():
    found = compare_variants([0, 1, 1], [50.0, 60.0, 70.0], [60.0, 50.0, 70.0], 0.0)
    assert found.auroc_float32 == 1.0
    assert found.auroc_int8 == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(StatisticsError, match="finite logits"):
        compare_variants([0, 1], [0.0, 1.0], [0.0, bad], 0.5)
    with pytest.raises(StatisticsError, match="finite logits"):
        compare_variants([0, 1], [0.0, 1.0], [0.0, 1.0], bad)


def test_one_class_alone_is_refused():
    with pytest.raises(StatisticsError, match="both positives and negatives"):
        compare_variants([1, 1], [0.0, 1.0], [0.0, 1.0], 0.5)
