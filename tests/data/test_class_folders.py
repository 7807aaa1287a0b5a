"""Folders of classes, and tables that lie elsewhere: what is a photograph, what is said."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data.archive import ReadOptions
from melanoscope.data.sources import class_folders, ham10000, own_csv, parse_spec

from .archives import line


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def lay(folder: Path, *files: str) -> None:
    """Put files there, each of its own content."""
    for file in files:
        put(folder / file, file.encode())


@pytest.mark.parametrize("below", ["nevus/a_{}.png", "masks/nevus/a.png", "nevus/a-{}.jpg"])
@pytest.mark.parametrize("made", ["mask", "segmentation", "aug_0", "thumb", "150x150", "flip"])
def test_what_was_made_of_a_photograph_is_no_further_one(tmp_path, below, made):
    for place in ("nevus/a.jpg", "melanoma/b.jpg", below.format(made)):
        lay(tmp_path, place)
    table = class_folders.read(tmp_path)
    assert table.rows["image_id"].to_list() == ["melanoma/b.jpg", "nevus/a.jpg"]
    assert "passed over: 1" in "\n".join(table.notes)


@pytest.mark.parametrize("around", ["", "train/", "data/train/train/", "archive/"])
def test_folders_around_those_of_classes(tmp_path, around):
    lay(tmp_path, f"{around}nevus/1/a.jpg")
    lay(tmp_path, f"{around}melanoma/a.jpg")
    assert set(class_folders.read(tmp_path).rows["diagnosis"]) == {"nevus", "melanoma"}


def test_one_photograph_in_several_folders(tmp_path):
    for place in ("train/nevus/a.jpg", "test/nevus/b.jpg"):
        put(tmp_path / place, b"one")
    for place in ("train/nevus/c.jpg", "train/melanoma/d.jpg"):
        put(tmp_path / place, b"two")
    rows = class_folders.read(tmp_path).rows
    found = rows.select("image_id", pl.col("unlabelled").is_null()).rows()
    assert found == [
        ("test/nevus/b.jpg", True),
        ("train/melanoma/d.jpg", False),
        ("train/nevus/c.jpg", False),
    ]


def test_what_no_class_folder_can_give_is_said(tmp_path):
    lay(tmp_path, "nevus/a.jpg", "nevus/b.gif", "nevus/c", "nevus.zip", "nevus/d.cr2")
    os.mkfifo(tmp_path / "nevus" / "p.jpg")
    notes = "\n".join(class_folders.read(tmp_path).notes)
    for word in (".gif 1", ".cr2 1", "without a suffix passed over: 1", "nevus.zip", "p.jpg"):
        assert word in notes


def test_a_table_below_the_named_folder(tmp_path):
    lay(tmp_path, "photographs/x1.jpg", "photographs/x2.jpg")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.csv").write_text("image_id,target\nx1,0\nx2,1\n")
    table = own_csv.read(tmp_path)
    assert table.rows["path"].null_count() == 0
    assert f"is '{Path('tables') / 't.csv'}'" in "\n".join(table.notes)
    (tmp_path / "tables" / "HAM10000_metadata.csv").write_text(
        "lesion_id,image_id,dx,dx_type,age,sex,localization\nHAM_1,x1,nv,histo,40,male,back\n"
    )
    assert ham10000.read(tmp_path).rows["path"].null_count() == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "HAM10000_metadata.csv").write_text("lesion_id\n")
    assert "of different content" in line(ham10000.read, tmp_path)


def test_a_folder_that_may_not_be_read_is_a_line(tmp_path, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "is_file", refuse)
    spec = parse_spec(f"ham10000={tmp_path}")
    assert "permission denied" in line(spec.read, ReadOptions(tmp_path))
