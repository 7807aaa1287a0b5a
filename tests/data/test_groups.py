"""Groups: what must stay on one side of a split, also after photographs are joined."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoscope.data.catalog import build_catalog

from .catalogs import groups_of


def test_blank_ids_join_nobody(make_table):
    catalog = build_catalog([make_table("a", [{"image_id": name} for name in "xyz"])])
    assert len(groups_of(catalog)) == 3


def test_a_row_that_was_not_kept_still_joins(make_table):
    """ISIC 2019 leaves blank what lesion a photograph shows; another archive may name it."""
    blank = make_table("a", [{"image_id": "x", "path": "/x"}, {"image_id": "y", "path": "/y"}])
    named = make_table(
        "b", [{"image_id": "x", "lesion_id": "L"}, {"image_id": "y", "lesion_id": "L"}]
    )
    for tables in ([blank, named], [named, blank]):
        catalog = build_catalog(tables)
        assert set(catalog.frame["dataset"]) == {"a"}
        assert groups_of(catalog) == {frozenset("xy")}


def test_photographs_without_a_file_still_join(make_table):
    rows = [
        {"image_id": "x", "path": "/x", "patient_id": "P"},
        {"image_id": "bridge", "patient_id": "P", "lesion_id": "L"},
        {"image_id": "y", "path": "/y", "lesion_id": "L"},
    ]
    assert build_catalog([make_table("a", rows)]).with_files.frame["group_id"].n_unique() == 1


NAMES = [f"i{n}" for n in range(12)]


@st.composite
def archives(draw):
    """Rows of two archives with few patients and lesions, so that chains of them arise."""
    whose = st.sampled_from([None, "A", "B", "C", "D"])
    told = st.fixed_dictionaries(
        {"patient_id": whose, "lesion_id": whose, "path": st.sampled_from([None, "/there/"])}
    )
    names = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
    listed = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=3)

    def row(name: str) -> dict[str, str | None]:
        one = draw(told)
        return {"image_id": name, **one, "path": one["path"] and one["path"] + name}

    return [([row(name) for name in draw(names)], tuple(draw(listed))) for _ in range(2)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(archives())
def test_groups_are_connected_components(make_table, archives):
    graph = nx.Graph()
    rows = [row for rows, _ in archives for row in rows]
    for row in rows:
        graph.add_node(row["image_id"])
        for column in ("patient_id", "lesion_id"):
            if row[column]:
                graph.add_edge(row["image_id"], (column, row[column]))
    for _, same in archives:
        graph.add_edges_from(same)
    ids = {row["image_id"] for row in rows}
    expected = {frozenset(part) & ids for part in nx.connected_components(graph)} - {frozenset()}

    tables = [make_table(kind, *archive) for kind, archive in zip("ab", archives, strict=True)]
    catalog = build_catalog(tables)
    assert groups_of(catalog) == expected
    assert set(catalog.frame["image_id"]) == ids
    assert all(
        g == min(m) for g, m in catalog.frame.group_by("group_id").agg("image_id").iter_rows()
    )


def test_joined_groups_take_the_smallest_name(make_table):
    catalog = build_catalog([make_table("x", [{"image_id": name} for name in "abcd"])])
    joined = catalog.merge_groups([("d", "b"), ("c", "d")])
    groups = dict(joined.frame.select("image_id", "group_id").iter_rows())
    assert groups["a"] == "a"
    assert groups["b"] == groups["c"] == groups["d"] == "b"
    assert catalog.merge_groups([]).frame.equals(catalog.frame)
    with pytest.raises(KeyError):
        catalog.merge_groups([("a", "nobody")])
