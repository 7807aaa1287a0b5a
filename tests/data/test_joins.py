"""Side tables of which no row finds its partner."""

from __future__ import annotations

import polars as pl
import pytest

from melanoscope.data.sources.joins import join_table
from melanoscope.errors import DataError


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["isic_1", "isic_2"], "by upper and lower case, such as 'isic_1' and there 'ISIC_1'"),
        (["ISIC_2.jpg", "ISIC_3.jpg"], "by what stands behind the ids, such as 'ISIC_2.jpg'"),
        (["ISIC_1_downsampled"], "by what stands behind the ids"),
        (["x", "y"], "none of 2, such as 'x' and there 'ISIC_1'"),
        ([None], "none of 1"),
    ],
)
def test_how_ids_differ_is_said(ids, said):
    main = pl.DataFrame({"image_id": ["ISIC_1", "ISIC_2"]})
    side = pl.DataFrame({"image_id": pl.Series(ids, dtype=pl.String), "age": [1.0] * len(ids)})
    with pytest.raises(DataError, match="write ids alike") as caught:
        join_table(main, side, "side.csv")
    assert said in caught.value.found
