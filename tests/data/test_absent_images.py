"""Why a photograph is absent, and what the folder says of it."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data.archive import SourceTable
from melanoscope.data.sources.image_files import refuse_without_files

from .archives import line
from .image_folders import find, lay, notes, paint


def zipped(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / "train.zip", "w") as archive:
        archive.writestr(f"train/{name}.jpg", b"x")


def tarred(folder: Path, name: str) -> None:
    with tarfile.open(folder / "train.tar.gz", "w:gz"):
        pass


def linked(folder: Path, name: str) -> None:
    (folder / f"{name}.jpg").symlink_to("/nowhere/x.jpg")


def annexed(folder: Path, name: str) -> None:
    (folder / f"{name}.jpg").symlink_to("../.git/annex/objects/a/b.jpg")


def looped(folder: Path, name: str) -> None:
    (folder / f"{name}.jpg").symlink_to(folder / f"{name}.jpg")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (zipped, "train.zip' is still packed, with 1 of the absent in it"),
        (tarred, "train.tar.gz' is still packed"),
        (linked, "-> '/nowhere/x.jpg'"),
        (looped, "1 is a link"),
        (lambda folder, name: (folder / f"{name}.jpg").mkdir(), "1 is a folder named like"),
        (lambda folder, name: lay(folder, f"{name}.psd"), "only as .psd"),
        (lambda folder, name: lay(folder, f"{name}.jpg.crdownload"), "unfinished download"),
        (lambda folder, _: lay(folder, "train-image.hdf5"), "train-image.hdf5' may hold"),
        (lambda folder, _: lay(folder, "train-1.tfrec", "train-2.tfrec"), "and 1 more may hold"),
        (lambda folder, name: lay(folder, f"{name}_downsampled.jpg"), "'_downsampled' behind it"),
        (
            lambda folder, name: lay(folder, f"{name[5:]}.jpg"),
            "'isic_', which the table has before",
        ),
        (lambda folder, name: lay(folder, f"{name[:5]}{name[6:]}.jpg"), "leading zeros"),
        (lambda folder, name: lay(folder, f"IMG{name[6:]}.jpg"), "around the number"),
        (lambda folder, name: lay(folder, f"{name} (1).jpg", f"{name}4.jpg"), "' (1)' behind it"),
        (lambda folder, name: lay(folder, f"{name}.jpg.jpg"), "'.jpg' behind it"),
        (annexed, "git annex get"),
        (lambda folder, _: lay(folder, "other.jpg"), "1 photograph lies there that no row"),
        (lambda folder, _: lay(folder, "README"), "no photograph lies in"),
        (lambda folder, _: lay(folder, "images.zip.001"), "images.zip.001' is still packed"),
        (lambda folder, _: lay(folder, "i.7z.001", "i.7z.002"), "and 1 more are still packed"),
        (lambda folder, _: lay(folder, "images.tar.gzaa"), "images.tar.gzaa' is still packed"),
        (lambda folder, _: (folder / "images").write_bytes(b"PK\3\4" + bytes(99)), "still packed"),
        (lambda folder, name: lay(folder, f".{name}.jpg.icloud"), "left in iCloud"),
        (lambda folder, name: os.mkfifo(folder / f"{name}.jpg"), "1 is a pipe or device"),
        (lambda folder, name: lay(folder, f"{name}/image.jpg"), "1 is a folder and no file"),
        (lambda folder, name: lay(folder, f".images/{name}.jpg"), "hidden folders"),
        (lambda folder, name: lay(folder, f"{name[:4]}-{name[5:]}.jpg"), "among letters and"),
        (lambda folder, name: lay(folder, f"ISIC%20{name[5:]}.jpg"), "among letters and digits"),
    ],
)
def test_likely_causes_are_said(tmp_path, make, said):
    name = "ISIC_0000123"
    make(tmp_path, name)
    assert find(tmp_path, name) == [None]
    assert said in notes(tmp_path, name)
    rows = pl.DataFrame({"path": [None]}, schema={"path": pl.String})
    table = SourceTable("x", rows, notes=tuple(notes(tmp_path, name).splitlines()))
    assert said in line(refuse_without_files, [table])


@pytest.mark.parametrize(("name", "file"), [("7", "000007"), ("0007", "7"), ("a_07", "a_7")])
def test_zeros_that_a_spreadsheet_lost_are_said(tmp_path, name, file):
    lay(tmp_path, f"{file}.png")
    assert find(tmp_path, name) == [None]
    assert f"leading zeros (first: '{name}' and '{file}')" in notes(tmp_path, name)


def test_ids_that_the_table_writes_longer(tmp_path):
    lay(tmp_path, "ISIC_0000123.jpg")
    assert "'_downsampled', which" in notes(tmp_path, "ISIC_0000123_downsampled")


def test_short_ids_that_lost_their_zeros(tmp_path):
    lay(tmp_path, *(f"ISIC_{number}.jpg" for number in range(3)))
    said = notes(tmp_path, *(f"ISIC_{number:07d}" for number in range(3)))
    assert "3 absent names differ from a file's only by leading zeros" in said
    assert "'ISIC_0000000' and 'ISIC_0'" in said


def test_what_is_whole_causes_no_word(tmp_path):
    zipped(lay(tmp_path, "a.jpg", "b.jpg", "train.csv.gz"), "a")
    assert notes(tmp_path, "a") == ""
    # An archive whose every file is absent in the table's eyes too does not matter.
    assert "packed" not in notes(tmp_path, "a", "c")


def test_refuse_only_where_none_is_found():
    some = SourceTable("x", pl.DataFrame({"path": [None, "a.jpg"]}))
    refuse_without_files([some, SourceTable("y", pl.DataFrame({"path": [None]}))])


def test_a_closed_folder_is_said(tmp_path, monkeypatch):
    lay(tmp_path, "train/a.jpg", "test/b.jpg")
    listed = os.scandir

    def closed(path):
        if str(path).endswith("train"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert find(tmp_path, "a", "b") == [None, "test/b.jpg"]
    assert "train' may not be entered (permission denied)" in notes(tmp_path, "b")


def test_links_in_a_circle_are_followed_once_and_said(tmp_path):
    lay(tmp_path, "train/a.jpg")
    (tmp_path / "train/back").symlink_to(tmp_path)
    assert find(tmp_path, "a") == ["train/a.jpg"]
    assert "train/back' leads to a folder searched before" in notes(tmp_path, "a")


def test_names_in_another_encoding_are_said(tmp_path):
    lay(tmp_path, "train/a.jpg")
    try:
        (tmp_path / os.fsdecode(b"L\xe4sionen")).mkdir()
    except OSError:
        pytest.skip("this disk holds names in UTF-8 alone")
    assert find(tmp_path, "a", "b") == ["train/a.jpg", None]
    assert "1 name is no UTF-8" in notes(tmp_path, "a", "b")


def test_what_is_no_file_is_never_opened(tmp_path):
    paint(tmp_path / "train/a.png")
    os.mkfifo(tmp_path / "a.png")
    assert find(tmp_path, "a") == ["train/a.png"]


def test_a_link_to_nothing_beside_the_photograph(tmp_path):
    lay(tmp_path, "train/a.jpg")
    (tmp_path / "0").mkdir()
    linked(tmp_path / "0", "a")
    assert find(tmp_path, "a", "a.jpg") == ["train/a.jpg"] * 2
