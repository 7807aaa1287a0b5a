"""What the command line names, and what a folder holds."""

from __future__ import annotations

import pytest

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import (
    ARCHIVES,
    DataSpec,
    find_archives,
    parse_spec,
    read_sources,
)

from .archives import (
    line,
    touch,
    write_2019,
    write_2020,
    write_ham,
    write_pad,
)


def test_parse_spec():
    assert parse_spec("table=a=b/c.csv") == DataSpec("table", "a=b/c.csv")
    assert str(parse_spec("isic2019-melanoma=x")) == "isic2019-melanoma=x"
    for kind in ARCHIVES:
        assert parse_spec(f"{kind}=p").archive is ARCHIVES[kind]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("isic202=x", "nearest: isic2024, isic2020"),
        ("", "known: "),
        ("=x", "known: "),
        ("archive", "known: "),
        ("isic2020", "isic2020=PATH"),
        ("isic2020=", "isic2020=PATH"),
    ],
)
def test_parse_bad_spec(text, said):
    assert said in line(parse_spec, text)


def test_find_archives(tmp_path):
    write_2020(tmp_path / "one", {"image_name": "a"})
    write_2019(tmp_path / "two", {"image": "b"})
    write_ham(tmp_path / "three", {"image_id": "c"})
    write_pad(tmp_path / "four", {"img_id": "d.png"})
    (tmp_path / "other").mkdir()
    specs = find_archives(tmp_path)
    assert [str(spec) for spec in specs] == [
        f"isic2020={tmp_path / 'one'}",
        f"isic2019={tmp_path / 'two'}",
        f"ham10000={tmp_path / 'three'}",
        f"pad-ufes-20={tmp_path / 'four'}",
    ]
    catalog = build_catalog(read_sources(specs, ReadOptions(tmp_path / "cache")))
    assert catalog.frame["image_id"].to_list() == ["a", "b", "c", "d"]
    assert find_archives(tmp_path / "three") == [DataSpec("ham10000", str(tmp_path / "three"))]
    assert not (tmp_path / "cache").exists()


def test_find_no_archives(tmp_path):
    assert "no folder" in line(find_archives, tmp_path / "nowhere")
    said = line(find_archives, tmp_path)
    assert all(mark in said for a in ARCHIVES.values() for mark in a.table_names)
    assert "at least one --data" in line(read_sources, [], ReadOptions(tmp_path))


def test_archives_that_overlap(tmp_path):
    """All of HAM10000 is in ISIC 2019; the row whose file is there stays."""
    write_2019(tmp_path / "a", {"image": "x"}, {"image": "y", "label": "MEL"})
    write_ham(tmp_path / "b", {"image_id": "x", "lesion_id": "L"})
    touch(tmp_path / "b" / "images", "x.jpg")
    catalog = build_catalog(read_sources(find_archives(tmp_path), ReadOptions(tmp_path)))
    assert dict(catalog.frame.select("image_id", "dataset").iter_rows()) == {
        "x": "ham10000",
        "y": "isic2019",
    }
    assert catalog.listed_twice == ("x",)


def test_every_archive_says_its_terms():
    for kind, archive in ARCHIVES.items():
        assert archive.title
        assert archive.license
        assert archive.attribution, kind
