"""Shares of groups: whole groups, both classes alike, smaller within larger."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.data.nested_share import nested_share
from melanoscope.errors import DataError

SHARES = (0.05, 0.1, 0.25, 0.5, 0.8, 1.0)


def archive(patients: int, seed: int, positive: float = 0.2) -> tuple[list[str], np.ndarray]:
    """Patients of one to five photographs, some with both classes."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 6, patients))
    targets = (rng.random(patient.size) < positive).astype(np.int8)
    return [f"p{one}" for one in patient], targets


@settings(deadline=None, max_examples=50)
@given(st.integers(12, 200), st.integers(0, 1000))
def test_smaller_shares_are_parts_of_larger_ones(patients: int, seed: int) -> None:
    groups, targets = archive(patients, seed)
    if targets.sum() in (0, len(targets)):
        return
    taken = [nested_share(groups, targets, share, seed) for share in SHARES]
    assert taken[-1].all()
    for smaller, larger in pairwise(taken):
        assert (larger | ~smaller).all()
    for marked in taken:
        assert 0 < targets[marked].sum() < marked.sum()
        inside = {group for group, one in zip(groups, marked, strict=True) if one}
        outside = {group for group, one in zip(groups, marked, strict=True) if not one}
        assert not inside & outside


def test_both_classes_shrink_alike() -> None:
    groups, targets = archive(3000, 1, positive=0.05)
    for share in SHARES:
        marked = nested_share(groups, targets, share, 7)
        assert targets[marked].sum() == pytest.approx(share * targets.sum(), abs=3)
        assert marked.sum() == pytest.approx(share * len(targets), rel=0.05)


def test_draws_differ_and_one_seed_does_not() -> None:
    groups, targets = archive(300, 2)
    first, again, other = (nested_share(groups, targets, 0.25, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert 0.1 < (first & other).sum() / first.sum() < 0.5  # a quarter by chance
    # Whatever order the rows stand in.
    rows = np.random.default_rng(0).permutation(len(groups))
    shuffled = nested_share([groups[row] for row in rows], targets[rows], 0.25, 0)
    assert (shuffled == first[rows]).all()


def test_every_patient_may_be_taken() -> None:
    groups, targets = archive(20, 3, positive=0.3)
    taken = np.zeros(len(groups), bool)
    for seed in range(60):
        taken |= nested_share(groups, targets, 0.2, seed)
    assert taken.all()


def test_at_least_one_group_of_each_class() -> None:
    groups, targets = list("abcdef"), np.array([1, 1, 0, 0, 0, 0])
    marked = nested_share(groups, targets, 0.001, 0)
    assert (targets[marked].sum(), marked.sum()) == (1, 2)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_shares_that_are_none(share: float) -> None:
    with pytest.raises(DataError, match="a share above 0, to 1"):
        nested_share(list("ab"), [0, 1], share, 0)


def test_both_classes_are_there_wherever_the_others_lie() -> None:
    """All others belong to a patient with a positive, who may come last."""
    groups, targets = [*"abcdee", "f"], np.array([1, 1, 1, 1, 1, 0, 1])
    taken = [nested_share(groups, targets, 0.01, seed) for seed in range(40)]
    assert all(marked[4] and marked[5] for marked in taken)
    assert {marked.sum() for marked in taken} == {2, 3, 4, 5, 6, 7}


def test_one_class_has_no_share() -> None:
    with pytest.raises(DataError, match="both classes"):
        nested_share(list("abc"), [0, 0, 0], 0.5, 0)
