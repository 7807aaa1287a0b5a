"""Names that are no UTF-8, above and below an archive, and folders that may not be entered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melanoscope.data.archive import ReadOptions
from melanoscope.data.sources import DataSpec, places, read_sources
from melanoscope.data.sources.places import find_table_below
from melanoscope.errors import DataError
from melanoscope.imaging.decode import write_image

BAD = os.fsdecode(b"caf\xe9")


@pytest.fixture(autouse=True)
def _names(tmp_path: Path) -> None:
    try:
        (tmp_path / BAD).mkdir()
    except OSError:
        pytest.skip("this file system holds names in UTF-8 only")


def photograph(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    write_image(path, pixels)


def read(kind: str, path: Path, cache: Path) -> Any:
    (table,) = read_sources([DataSpec(kind, str(path))], ReadOptions(cache))
    return table


@pytest.mark.parametrize("kind", ["table", "folder", "ham10000"])
def test_an_archive_below_such_a_folder_is_refused(tmp_path: Path, kind: str) -> None:
    photograph(tmp_path / BAD / "nevus" / "a.png")
    (tmp_path / BAD / "t.csv").write_text("path,target\nnevus/a.png,1\n")
    with pytest.raises(DataError, match=r"a path in UTF-8 .*caf\\udce9'; rename"):
        read(kind, tmp_path / BAD, tmp_path)


def test_drawings_below_such_a_cache_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a path in UTF-8 for --cache"):
        read_sources([DataSpec("simulated", "2")], ReadOptions(tmp_path / BAD))


def test_what_lies_below_an_archive_is_passed_over_and_said(tmp_path: Path) -> None:
    root = tmp_path / "classes"
    for number, name in enumerate(("nevus/a.png", "melanoma/b.png", f"nevus/{BAD}.png")):
        photograph(root / name, number)
    photograph(root / BAD / "c.png", 9)
    table = read("folder", root, tmp_path)
    assert sorted(table.rows["image_id"]) == ["melanoma/b.png", "nevus/a.png"]
    said = next(note for note in table.notes if "no UTF-8" in note)
    assert said.startswith("2 names are no UTF-8")
    assert "caf\\udce9" in said


def test_a_table_of_such_a_name_is_read(tmp_path: Path) -> None:
    photograph(tmp_path / "x" / "a.png")
    (tmp_path / "x" / f"{BAD}.csv").write_text("path,target\na.png,1\n")
    table = read("table", tmp_path / "x", tmp_path)
    assert table.rows["dataset"].to_list() == ["table:caf\\udce9"]
    assert table.rows["path"].count() == 1


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An archive whose table lies in a folder that may not be entered; root may enter all."""
    folder = tmp_path / "archive" / "closed"
    folder.mkdir(parents=True)
    (folder / "HAM10000_metadata.csv").write_text("a\n1\n")
    real, access = places.matching_table, os.access

    def refuse(place: Path, names: Any) -> Any:
        if place == folder:
            raise PermissionError(13, "Permission denied", str(place))
        return real(place, names)

    monkeypatch.setattr(places, "matching_table", refuse)
    monkeypatch.setattr(os, "access", lambda path, *mode: path != folder and access(path, *mode))
    return folder


def test_a_table_in_a_closed_folder_is_not_called_absent_alone(closed: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_table_below(closed.parent, ["HAM10000_metadata.csv"], "ham10000")
    assert f"the folder '{closed}' may not be entered" in str(caught.value)
    with pytest.raises(DataError) as caught:
        read("table", closed.parent, closed)
    assert f"0 tables, and the folder '{closed}' may not be entered" in str(caught.value)


def test_photographs_in_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, scandir = tmp_path / "x", os.scandir
    photograph(root / "closed" / "a.png")
    photograph(root / "b.png")
    (root / "t.csv").write_text("path,target\na.png,1\nb.png,0\n")

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    table = read("table", root, tmp_path)
    assert table.rows["path"].count() == 1
    said = " ".join(table.notes)
    assert f"the folder '{root}/closed' may not be entered (permission denied)" in said
