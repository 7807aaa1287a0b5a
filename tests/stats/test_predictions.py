"""Predictions from which no honest number follows are refused when they are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def _changed(values: np.ndarray, to: float, where: int = 3) -> np.ndarray:
    values = values.copy()
    values[where] = to
    return values


@pytest.mark.parametrize(
    ("field", "change", "said"),
    [
        ("target", lambda v: _changed(v, 2), "0 or 1"),
        ("target", lambda v: v.astype(float), "target as integers"),
        ("target", lambda v: v[:-1], "one shape"),
        ("probability", lambda v: v[:, None], "one shape"),
        ("probability", lambda v: _changed(v, np.nan), "1 outside or NaN, the first nan"),
        ("probability", lambda v: _changed(v, 1.5), r"1 outside or NaN, the first 1\.5"),
        ("probability", lambda v: _changed(v, -0.1), "logits"),
        ("probability", lambda v: (v > 0.5).astype(int), "probability as floating point"),
        ("threshold", lambda v: _changed(v, np.inf), "finite thresholds"),
        ("threshold", lambda v: _changed(v, np.nan), "finite thresholds"),
        ("fold_id", lambda v: _changed(v.astype(float), np.nan), "fold_id as integers"),
        ("group", lambda v: v.astype(str), "group as integers"),
        ("image_index", lambda v: _changed(v, v[4]), "once in a fold|one group|one target"),
    ],
)
def test_refused_in_one_line(
    make: Make, field: str, change: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    one = make(n=40, patients=10, folds=1)
    with pytest.raises(StatisticsError, match=said) as caught:
        replace(one, **{field: change(getattr(one, field))})
    assert "\n" not in str(caught.value)


def test_empty_is_refused() -> None:
    codes, real = np.zeros(0, np.int64), np.zeros(0)
    with pytest.raises(StatisticsError, match="n above 0"):
        Predictions(
            target=codes,
            probability=real,
            threshold=real,
            fold_id=codes,
            group=codes,
            image_index=codes,
        )


def test_each_photograph_once_in_a_part_in_one_group_with_one_target(make: Make) -> None:
    twice = make(n=40, patients=10, folds=2, repeats=2)
    with pytest.raises(StatisticsError, match="each photograph once in a fold"):
        replace(twice, fold_id=np.zeros_like(twice.fold_id))
    with pytest.raises(StatisticsError, match="each photograph in one group"):
        replace(twice, group=_changed(twice.group, 99))
    with pytest.raises(StatisticsError, match="each photograph with one target"):
        replace(twice, target=_changed(twice.target, 1 - twice.target[3]))


def test_parts_groups_and_masks(make: Make) -> None:
    one = make(n=200, patients=20, folds=3)
    assert one.fold_ids.tolist() == sorted(set(one.fold_id.tolist()))
    assert one.n_groups == len(set(one.group.tolist()))
    mine = one.where(one.fold_id == 1)
    assert set(mine.fold_id.tolist()) == {1}
    assert mine.probability.tolist() == [
        p for p, fold in zip(one.probability, one.fold_id, strict=True) if fold == 1
    ]
    for mask in (np.zeros(200, np.int64), np.ones(199, bool)):
        with pytest.raises(StatisticsError, match="a mask of shape"):
            one.where(mask)
    with pytest.raises(StatisticsError, match="n above 0"):
        one.where(np.zeros(200, bool))


def test_other_probabilities_are_checked_too(make: Make) -> None:
    one = make(n=40, patients=10)
    assert (one.with_probability(np.full(40, 0.5)).probability == 0.5).all()
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        one.with_probability(np.full(40, 2.0))
