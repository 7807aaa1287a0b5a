"""Folds never split a group, always hold both classes, and are as even as they can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from melanoscope.data.folds import assign_folds, hold_out
from melanoscope.errors import DataError

Case = tuple[list[str], list[int]]


def spread(counts: list[tuple[int, int]], order: int = 0) -> Case:
    """Photographs of groups given as (others, melanomas), mixed up by `order`."""
    rows = [
        (f"g{number:03d}", target)
        for number, both in enumerate(counts)
        for target in (0, 1)
        for _ in range(both[target])
    ]
    np.random.default_rng(order).shuffle(rows := np.array(rows, object))
    return [str(g) for g in rows[:, 0]], [int(t) for t in rows[:, 1]]


def are_good(case: Case, folds: np.ndarray, n_folds: int) -> bool:
    groups, targets = case
    inside: dict[str, set[int]] = {}
    classes: dict[int, set[int]] = {}
    for group, target, fold in zip(groups, targets, folds.tolist(), strict=True):
        inside.setdefault(group, set()).add(fold)
        classes.setdefault(fold, set()).add(target)
    return (
        all(len(where) == 1 for where in inside.values())
        and sorted(classes) == list(range(n_folds))
        and all(found == {0, 1} for found in classes.values())
    )


@pytest.mark.parametrize("n_folds", [2, 3, 4])
def test_divides_whatever_can_be_divided(n_folds):
    """Brute force over every division of up to 6 groups says what can be done at all."""
    has = {"other": 1, "melanoma": 2, "mixed": 3}  # bits: classes that a group holds
    example = {"other": (2, 0), "melanoma": (0, 1), "mixed": (1, 3)}
    seen = set()
    for n_groups in range(1, 7 if n_folds < 4 else 6):
        for kinds in itertools.combinations_with_replacement(has, n_groups):
            possible = False
            for division in itertools.product(range(n_folds), repeat=n_groups):
                held = [0] * n_folds
                for kind, fold in zip(kinds, division, strict=True):
                    held[fold] |= has[kind]
                if possible := all(classes == 3 for classes in held):
                    break
            case = spread([example[kind] for kind in kinds])
            seen.add(possible)
            if possible:
                assert are_good(case, assign_folds(*case, n_folds, 0), n_folds), kinds
            else:
                with pytest.raises(DataError):
                    assign_folds(*case, n_folds, 0)
    assert seen == {True, False}


@st.composite
def adversarial(draw):
    """A few giant groups, many singletons, one class rare, in any proportion."""
    giants = st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(any)
    pair = st.sampled_from([(1, 0), (1, 0), (1, 0), (0, 1), (1, 1), (2, 0)])
    counts = draw(st.lists(giants, max_size=4)) + draw(st.lists(pair, min_size=1, max_size=60))
    return counts, draw(st.integers(2, 7)), draw(st.integers(0, 99))


@given(adversarial())
def test_any_catalog_is_divided_well_or_refused_rightly(drawn):
    counts, n_folds, seed = drawn
    mixed = sum(a > 0 and b > 0 for a, b in counts)
    melanomas, others = sum(a == 0 for a, _ in counts), sum(b == 0 for _, b in counts)
    case = spread(counts, seed)
    if mixed + min(melanomas, others) >= n_folds:
        folds = assign_folds(*case, n_folds, seed)
        assert are_good(case, folds, n_folds)
        assert folds.tolist() == assign_folds(*case, n_folds, seed).tolist()
    else:
        with pytest.raises(DataError) as caught:
            assign_folds(*case, n_folds, seed)
        assert "\n" not in str(caught.value)


@given(adversarial(), st.integers(0, 99))
def test_the_order_of_photographs_does_not_matter(drawn, order):
    counts, n_folds, seed = drawn
    one, other = spread(counts, 0), spread(counts, order)
    try:
        folds = assign_folds(*one, n_folds, seed)
    except DataError:
        return
    home = dict(zip(one[0], folds.tolist(), strict=True))
    assert [home[group] for group in other[0]] == assign_folds(*other, n_folds, seed).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_division_that_greed_alone_misses(seed):
    """The last group would go where it weighs least, and leave a fold without melanomas."""
    case = spread([(0, 50), (0, 49), (20, 0), (7, 0), (6, 0), (5, 0), (3, 1)], seed)
    assert are_good(case, assign_folds(*case, 3, seed), 3)


def realistic(seed: int, n_groups: int = 900, melanomas: float = 0.12) -> Case:
    """Patients with a few to a hundred photographs, of which a share shows melanomas."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.geometric(0.2, n_groups) + rng.pareto(1.3, n_groups), 115).astype(
        int
    )
    found = rng.binomial(sizes, rng.beta(0.4, 0.4 * (1 / melanomas - 1), n_groups))
    return spread([(int(s - m), int(m)) for s, m in zip(sizes, found, strict=True)], seed)


def worst_deviation(targets: np.ndarray, folds: np.ndarray, n_folds: int) -> float:
    """Largest departure of a fold's share of either class from an even one."""
    shares = [
        np.bincount(folds[targets == target], minlength=n_folds) / (targets == target).sum()
        for target in (0, 1)
    ]
    return float(np.abs(np.array(shares) - 1 / n_folds).max())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_folds", [5, 10])
@pytest.mark.parametrize("melanomas", [0.12, 0.018])
def test_as_even_as_scikit_learn(seed, n_folds, melanomas):
    groups, labels = realistic(seed, melanomas=melanomas)
    targets = np.array(labels)
    ours = worst_deviation(targets, assign_folds(groups, labels, n_folds, seed), n_folds)
    theirs = np.empty(len(targets), int)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for fold, (_, test) in enumerate(splitter.split(targets, targets, groups)):
        theirs[test] = fold
    assert ours <= worst_deviation(targets, theirs, n_folds) + 0.002
    assert ours < 0.01


def test_a_division_that_scikit_learn_misses():
    """Why there is a divider of our own: what can be divided is, and theirs lacks a class."""
    case = spread([(3, 0), (0, 2), (4, 2), (11, 4)])
    folds = np.empty(len(case[0]), int)
    for fold, (_, test) in enumerate(StratifiedGroupKFold(3).split(case[1], case[1], case[0])):
        folds[test] = fold
    assert not are_good(case, folds, 3)
    assert are_good(case, assign_folds(*case, 3, 0), 3)


def test_another_seed_gives_another_division():
    case = realistic(1, 200)
    divisions = {tuple(assign_folds(*case, 5, seed).tolist()) for seed in range(4)}
    assert len(divisions) == 4


@pytest.mark.parametrize(
    ("counts", "n_folds", "said"),
    [
        ([(1, 0)] * 9, 3, "photographs of both classes"),
        ([(0, 1)] * 9, 3, "photographs of both classes"),
        ([(1, 0)] * 9 + [(0, 5), (3, 3)], 3, "use at most 2 folds"),
        ([(1, 0), (0, 1)], 1, "at least 2 folds"),
        ([(5, 5)], 2, "use at most 1 folds"),
    ],
)
def test_more_folds_than_a_class_can_fill(counts, n_folds, said):
    with pytest.raises(DataError) as caught:
        assign_folds(*spread(counts), n_folds, 0)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# --- hold_out


@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.2, 0.5])
def test_hold_out(fraction):
    groups, targets = realistic(2)
    held = hold_out(groups, targets, fraction, 0)
    assert held.dtype == bool
    assert not {g for g, h in zip(groups, held, strict=True) if h} & {
        g for g, h in zip(groups, held, strict=True) if not h
    }
    for target in (0, 1):
        assert held[np.array(targets) == target].mean() == pytest.approx(fraction, abs=0.02)
    assert held.tolist() == hold_out(groups, targets, fraction, 0).tolist()
    assert held.tolist() != hold_out(groups, targets, fraction, 1).tolist()


def test_hold_out_of_few_groups_is_larger_rather_than_refused():
    """Six melanoma groups make no ten folds, yet one of them can be held out."""
    case = spread([(1, 0)] * 60 + [(0, 2)] * 6)
    held = hold_out(*case, 0.1, 0)
    assert 0.1 <= held.mean() <= 0.25
    assert are_good(case, held.astype(int), 2)
    with pytest.raises(DataError, match="use at most 1 folds"):
        hold_out(*spread([(1, 0)] * 60 + [(0, 6)]), 0.1, 0)
