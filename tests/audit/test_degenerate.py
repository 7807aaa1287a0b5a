"""Archives of one class, group, archive or photograph: a gap or a number, never a traceback."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.audit.associations import find_associations
from melanoscope.report.sections.section import plain

_LEVELS = st.sampled_from(["unknown", "male", "female"])


@st.composite
def archives(draw: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw few photographs, of which little is known and less varies, and their measurements."""
    n = draw(st.integers(1, 14))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        same = st.builds(lambda one: [one] * n, values)
        return list(draw(st.one_of(same, st.lists(values, min_size=n, max_size=n))))

    ids = [f"i{number}" for number in range(n)]
    text = {"dtype": pl.String}
    catalog = pl.DataFrame(
        {
            "image_id": ids,
            "dataset": column(st.sampled_from("ab")),
            "group_id": column(st.sampled_from("pqrst")),
            "patient_id": pl.Series(column(st.sampled_from(["p", None])), **text),
            "lesion_id": pl.Series(column(st.sampled_from(["l", None])), **text),
            "center": pl.Series(column(st.sampled_from(["x", "y", None])), **text),
            "image_type": pl.Series([None] * n, **text),
            "sex": column(_LEVELS),
            "site": column(_LEVELS),
            "age": pl.Series(column(st.sampled_from([None, 0.0, 50.0, 85.0])), dtype=pl.Float64),
            "target": column(st.integers(0, 1)),
        }
    )
    numbers = st.one_of(st.sampled_from([0.0, 1.0, 1e300, math.nan, math.inf]), st.floats(0, 1))
    measured = pl.DataFrame({"image_id": ids, "brightness": column(numbers)})
    return catalog, measured


@settings(max_examples=80, deadline=None)
@given(drawn=archives())
def test_associations_of_any_archive(drawn: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    with np.errstate(over="ignore"):
        found = find_associations(*drawn)
    for one in found:
        assert 0 <= one.p_value <= one.p_holm <= 1, one
        assert math.isfinite(one.value), one
        assert 0 <= one.strength <= 1 + 1e-9
    plain(found)
