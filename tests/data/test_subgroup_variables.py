"""What divides photographs into subgroups: only what differs, and nothing twice."""

from __future__ import annotations

import polars as pl
import pytest

from melanoscope.data.subgroup_variables import subgroup_variables

ORIGINS = ("Archive", "Center", "Image type")


def catalog(**columns: list[str | None]) -> pl.DataFrame:
    n = len(columns["dataset"])
    known = {"sex": ["female"] * n, "age": [50.0] * n, "site": ["torso"] * n, "ita": [None] * n}
    origins = dict.fromkeys(("center", "image_type"), [None] * n) | columns
    schema = dict.fromkeys(origins, pl.String)
    return pl.DataFrame(known | origins, schema_overrides={**schema, "ita": pl.Float64})


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"dataset": ["a", "a", "a", "a"]}, {}),
        ({"dataset": ["a", "a", "b", "b"]}, {"Archive": ["a", "b"]}),
        (
            {"dataset": ["a", "a", "b", "b"], "center": ["x", "y", "x", "y"]},
            {"Archive": ["a", "b"], "Center": ["x", "y"]},
        ),
        (
            {"dataset": ["a"] * 4, "center": ["x", "y", None, "y"]},
            {"Center": ["x", "y", "unknown"]},
        ),
        ({"dataset": ["a"] * 4, "center": ["x", None, None, "x"]}, {}),
        (
            {"dataset": ["a", "a", "b", "b"], "image_type": ["clinical", "clinical", "TBP", "TBP"]},
            {"Archive": ["a", "b"]},
        ),
        (
            {"dataset": ["a"] * 4, "center": list("xyxy"), "image_type": list("qqpp")},
            {"Center": ["x", "y"], "Image type": ["p", "q"]},
        ),
    ],
    ids=["one archive", "two", "centers", "unknown", "one center", "as the archives", "types"],
)
def test_origins(columns: dict[str, list[str | None]], expected: dict[str, list[str]]) -> None:
    found = subgroup_variables(catalog(**columns))
    assert {v.name: list(v.levels) for v in found if v.name in ORIGINS} == expected
    for variable in found:
        assert set(variable.level) <= set(variable.levels)


def test_the_rarest_of_many_centers_share_a_level() -> None:
    centers = [f"c{n:02d}" for n in range(20) for _ in range(n + 1)]
    (center,) = [
        v
        for v in subgroup_variables(catalog(dataset=["a"] * len(centers), center=centers))
        if v.name == "Center"
    ]
    assert list(center.levels) == [*(f"c{n:02d}" for n in range(8, 20)), "all others"]
    assert sum(level == "all others" for level in center.level) == sum(range(1, 9))
