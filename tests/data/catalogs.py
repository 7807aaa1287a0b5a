"""What tests say of catalogs: their groups, and why there is none."""

from __future__ import annotations

import pytest

from melanoscope.data.archive import SourceTable
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.errors import DataError


def groups_of(catalog: Catalog) -> set[frozenset[str]]:
    """Return the image ids of each group."""
    grouped = catalog.frame.group_by("group_id").agg("image_id")
    return {frozenset(members) for members in grouped["image_id"]}


def catalog_error(*tables: SourceTable) -> DataError:
    """Return the error, one line of three parts, that `tables` end in."""
    with pytest.raises(DataError) as caught:
        build_catalog(tables)
    error = caught.value
    assert "\n" not in str(error)
    assert error.expected
    assert error.found
    assert error.mend
    return error
