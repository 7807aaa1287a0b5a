"""Who is trained, stopped and tested on what, under each protocol."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.splits import (
    assign_protocol_folds,
    parse_protocol,
    poster_sources,
    split_catalog,
)
from melanoscope.data.sources import parse_spec
from melanoscope.errors import DataError
from melanoscope.runs.files import TEST_FOLD


def _frame(groups: int, per_group: int) -> pl.DataFrame:
    n = groups * per_group
    return pl.DataFrame(
        {
            "image_id": [f"I{i:04d}" for i in range(n)],
            "group_id": [f"G{i // per_group:04d}" for i in range(n)],
            "target": pl.Series([i // per_group % 3 == 0 for i in range(n)]).cast(pl.Int8),
        }
    )


@pytest.mark.parametrize("protocol", ["corrected", "poster"])
@given(
    groups=st.integers(30, 60),
    per_group=st.integers(1, 4),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_the_parts_of_a_cell(
    protocol: str, groups: int, per_group: int, n_folds: int, seed: int
) -> None:
    frame = _frame(groups, per_group)
    ids, targets = frame["group_id"].to_list(), frame["target"].to_numpy()
    folds = assign_protocol_folds(
        parse_protocol(protocol), ids, targets, n_folds, seed=seed, repeat=0
    )
    tested = []
    for fold in range(n_folds):
        parts = split_catalog(parse_protocol(protocol), frame, folds, fold, 0.15, seed)
        rows = np.concatenate([parts.train, parts.validation, parts.test])
        assert sorted(rows) == list(range(frame.height))  # disjoint, and nothing left out
        for part in (parts.train, parts.validation, parts.test):
            assert 0 < targets[part].sum() < len(part)
        tested.append(set(parts.test.tolist()))
        if protocol == "corrected":
            sides = [set(np.asarray(ids)[p]) for p in (parts.train, parts.validation, parts.test)]
            assert sum(map(len, sides)) == len(set().union(*sides))  # no group on two sides
    if protocol == "poster":
        assert all(one == tested[0] for one in tested)  # the poster's error 4
        assert tested[0] == set(np.flatnonzero(folds == TEST_FOLD).tolist())
    else:
        assert sum(map(len, tested)) == len(set().union(*tested)) == frame.height


def test_the_poster_divides_patients() -> None:
    """The poster's error 3: groups of four photographs land on both sides."""
    frame = _frame(60, 4)
    groups, targets = frame["group_id"].to_list(), frame["target"].to_numpy()
    folds = assign_protocol_folds("poster", groups, targets, 5, seed=0, repeat=0)
    both = frame.with_columns(test=pl.Series(folds == TEST_FOLD)).group_by("group_id")
    assert both.agg(pl.col("test").n_unique() > 1)["test"].sum() > 20


def test_the_poster_merges_melanomas_of_2019() -> None:
    specs = [parse_spec("isic2020=a"), parse_spec("isic2019=b"), parse_spec("ham10000=c")]
    assert [str(s) for s in poster_sources(specs)] == [
        *("isic2020=a", "isic2019-melanoma=b", "ham10000=c")
    ]
    config = BenchmarkConfig(tuple(specs), ("standard_cnn",), ("scratch",), protocol="poster")
    assert config.data[1].kind == "isic2019-melanoma"
    assert not config.near_duplicates


def test_unknown_protocol() -> None:
    with pytest.raises(DataError, match=r"known protocol; found 'postr'; nearest: poster"):
        parse_protocol("postr")
