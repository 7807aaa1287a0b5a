"""Each row finds its photograph, and no other; what is absent says why."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data.sources.image_files import find_image_files
from melanoscope.data.sources.image_files.names import (
    is_camera_name,
    is_mask_folder,
    is_resized_folder,
    split_row_name,
)

from .archives import line
from .image_folders import find, lay, notes

BACKSLASH = pytest.mark.skipif(os.name == "nt", reason="a backslash parts folders here")

# --- names


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ISIC_1", "train/ISIC_1.jpg"),
        ("ISIC_1.jpg", "train/ISIC_1.jpg"),
        ("ISIC_1.jpg", "train/ISIC_1.png"),
        ("ISIC_1.dcm", "train/ISIC_1.jpg"),
        ("ISIC_1", "ISIC_1"),
        ("ISIC_1", "train/isic_1.JPG"),
        ("isic_1.JPEG", "train/ISIC_1.jpeg"),
        (" ISIC_1 ", "ISIC_1.jpg"),
        ("ISIC_1", "ISIC_1 .jpg"),
        ("./train/ISIC_1.jpg", "train/ISIC_1.jpg"),
        (r"train\ISIC_1.jpg", "train/ISIC_1.jpg"),
        pytest.param(r"$\frac$.jpg", r"$\frac$.jpg", marks=BACKSLASH),
        pytest.param(r"train/a\b.jpg", r"train/a\b.jpg", marks=BACKSLASH),
        (r"C:\Users\Ana\data\train\ISIC_1.jpg", "train/ISIC_1.jpg"),
        ("/kaggle/input/isic/train/ISIC_1.jpg", "train/ISIC_1.jpg"),
        ("images/ISIC_1.jpg", "ISIC_1.jpg"),
        ("images/ISIC_1.jpg", "jpeg/train/ISIC_1.jpg"),
        ("Train/ISIC_1", "train/ISIC_1.jpg"),
        ("old/../train/ISIC_1.jpg", "train/ISIC_1.jpg"),
        (unicodedata.normalize("NFD", "Läsion"), unicodedata.normalize("NFC", "Läsion") + ".jpg"),
        (unicodedata.normalize("NFC", "ü/Läsion"), unicodedata.normalize("NFD", "ü/Läsion.jpg")),
        ("lesion.1", "lesion.1.jpg"),
        ("1.2.840.113", "1.2.840.113"),
        ("STRASSE", "straße.jpg"),
        ("my%20lesion.jpg", "my lesion.jpg"),
        ("50%20 off", "50%20 off.jpg"),
        ("https://host/isic/ISIC%201.jpg?size=1", "train/ISIC 1.jpg"),
        ("s3://bucket/train/ISIC_1.jpg", "train/ISIC_1.jpg"),
    ],
)
def test_a_name_finds_its_file(tmp_path, name, file):
    lay(tmp_path, file)
    assert find(tmp_path, name) == [file]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ISIC_1", "ISIC_10.jpg"),
        ("ISIC_1", "ISIC_1_segmentation.png"),
        ("ISIC_1", "ISIC_1.txt"),
        ("ISIC_1", "._ISIC_1.jpg"),
        ("ISIC_1", ".cache/ISIC_1.jpg"),
        ("ISIC_1", "__MACOSX/train/ISIC_1.jpg"),
        ("ISIC_1", "@eaDir/ISIC_1.jpg"),
        ("ISIC_1", "superpixels/ISIC_2.jpg"),
        # Another clinic's, or another person's: only the name is the same.
        ("graz/img/DSC_0001.jpg", "lisbon/img/DSC_0001.jpg"),
        ("graz/12.jpg", "lisbon/12.jpg"),
    ],
)
def test_a_name_finds_no_other_file(tmp_path, name, file):
    lay(tmp_path, file, "other.jpg")
    assert find(tmp_path, name) == [None]


def test_blank_names_find_nothing(tmp_path):
    lay(tmp_path, "a.jpg")
    assert find(tmp_path, None, "", " ", ".", "/", "a") == [None] * 5 + ["a.jpg"]
    assert find(tmp_path) == []


def test_folders_decide_between_files_of_one_name(tmp_path):
    lay(tmp_path, "graz/DSC_1.jpg", "lisbon/DSC_1.jpg", "lisbon/deep/graz/DSC_1.jpg")
    assert find(tmp_path, "graz/DSC_1.jpg", r"x\lisbon\DSC_1", "deep/graz/DSC_1.jpg") == [
        "graz/DSC_1.jpg",
        "lisbon/DSC_1.jpg",
        "lisbon/deep/graz/DSC_1.jpg",
    ]
    assert "2 more" not in line(find, tmp_path, "DSC_1")


def test_a_folder_that_is_here_and_lacks_the_photograph(tmp_path):
    lay(tmp_path, "graz/lesion_one.jpg", "lisbon/lesion_two.jpg")
    assert find(tmp_path, "lisbon/lesion_one.jpg") == [None]
    assert "'lisbon/lesion_one.jpg'" in notes(tmp_path, "lisbon/lesion_one.jpg")


def test_a_folder_that_is_not_here_is_said(tmp_path):
    lay(tmp_path, "train/lesion_one.jpg")
    assert "found by file name alone" in notes(tmp_path, "images/lesion_one.jpg")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("graz/lesion_one.jpg", "lisbon/lesion_one.jpg"), (None, None)),
        (("A", "a"), (None, "a.jpg")),
        (("b/a.jpg", "a.jpg"), (None, "a.jpg")),
        (("a.png", "a.jpg"), (None, "a.jpg")),
        (("a.png", "a.webp"), (None, None)),
        (("a", "a.jpg", "./a.jpg"), ("a.jpg", "a.jpg", "a.jpg")),
    ],
)
def test_a_file_belongs_to_the_name_that_fits_it_best(tmp_path, names, found):
    lay(tmp_path, "a.jpg", "lesion_one.jpg")
    assert find(tmp_path, *names) == list(found)
    if None in found:
        assert "share a file" in notes(tmp_path, *names)


def test_written_paths_are_taken_as_they_are_without_a_walk(tmp_path, monkeypatch):
    lay(tmp_path, "table/in/a.jpg", "table/masks/a.jpg", "elsewhere/b.jpg", "table/in/b.jpg")
    names = ["masks/a.jpg", str(tmp_path / "elsewhere/b.jpg"), "../elsewhere/b.jpg"]
    monkeypatch.setattr("melanoscope.data.sources.image_files.walk_folder", None)
    paths = find_image_files(tmp_path / "table", pl.Series(names)).paths
    assert [Path(path).resolve() for path in paths] == [
        tmp_path / "table/masks/a.jpg",
        tmp_path / "elsewhere/b.jpg",
        tmp_path / "elsewhere/b.jpg",
    ]


def test_other_pictures_are_passed_over_unopened(tmp_path, monkeypatch):
    lay(tmp_path, "train/a.jpg", "runs/1/roc.png", "runs/2/roc.png")
    monkeypatch.setattr(Path, "open", None)
    assert find(tmp_path, "a") == ["train/a.jpg"]
    assert notes(tmp_path, "a") == ""


# --- words


@pytest.mark.parametrize(
    ("folder", "is_mask", "is_resized"),
    [
        ("train", False, False),
        ("isic_2018", False, False),
        ("ham10000_images_part_1", False, False),
        ("ham10000_segmentations_lesion_tschandl", True, False),
        ("lesions", False, False),
        ("isic2018_task1_training_groundtruth", True, False),
        ("superpixels", True, False),
        ("augtrain", False, False),
        ("train_512px", False, True),
        ("resize-600x450", False, True),
        ("thumbnails", False, True),
        ("agt", False, False),
    ],
)
def test_words_of_folders(folder, is_mask, is_resized):
    assert is_mask_folder(("data", folder)) == is_mask
    assert is_resized_folder(("data", folder)) == is_resized


def test_names_of_cameras():
    assert all(map(is_camera_name, ("dsc_0001", "img-12", "1", "p1010001", "a")))
    assert not any(map(is_camera_name, ("isic_0000000_down", "pat_8_15_820", "lesion_one")))


def test_split_row_name():
    assert split_row_name("A/b.c.PNG")[:3] == (("a",), "b.c", ".png")


def test_the_folder_itself_may_lack(tmp_path):
    shutil.rmtree(tmp_path)
    assert find(tmp_path, "a") == [None]
    assert "may not be entered (no such file" in notes(tmp_path, "a")
