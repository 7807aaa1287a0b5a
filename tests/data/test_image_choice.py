"""Of several files that a row may mean, which is its photograph."""

from __future__ import annotations

from pathlib import Path

import pytest

from melanoscope.imaging import whole_picture

from .archives import line, touch
from .image_folders import find, lay, mask, notes, paint


def test_copies_of_the_same_content_are_one(tmp_path):
    touch(tmp_path / "part_1", "a.jpg")
    touch(tmp_path / "Part_1", "a.jpg")
    assert find(tmp_path, "a") == ["Part_1/a.jpg"]
    assert "1 copy left: 'part_1/*.jpg'" in notes(tmp_path, "a")


@pytest.mark.parametrize("size", [(24, 20), (20, 16)])
def test_different_photographs_are_refused(tmp_path, draw, size):
    draw(tmp_path / "x" / "a.bmp", 1)
    draw(tmp_path / "y" / "a.bmp", 2, size)
    said = line(find, tmp_path, "a")
    assert "one photograph named 'a'" in said
    assert str(tmp_path / "x/a.bmp") in said
    assert str(tmp_path / "y/a.bmp") in said


@pytest.mark.parametrize(
    "other",
    ["masks/a.png", "0_gt/a.jpg", "Seg mentations/a.bmp", "train/a.png", "GroundTruth/a.tif"],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_masks_are_never_photographs(tmp_path, other, mode):
    paint(tmp_path / "train/a.jpg")
    mask(tmp_path / other, mode=mode)
    assert find(tmp_path, "a") == ["train/a.jpg"]
    assert "1 mask left" in notes(tmp_path, "a")


def test_a_mask_alone_is_not_taken(tmp_path):
    mask(tmp_path / "masks/a.png")
    paint(tmp_path / "segmented photographs/b.png")
    assert find(tmp_path, "a", "b") == [None, "segmented photographs/b.png"]
    assert "1 mask left: 'masks/*.png'; none elsewhere" in notes(tmp_path, "a")


def test_masks_in_place_of_all_photographs_are_said(tmp_path):
    names = [f"lesion no. {number}" for number in range(20)]
    for name in names:
        mask(tmp_path / f"images/{name}.png")
    assert "look like masks" in notes(tmp_path, *names)
    paint(tmp_path / "images/lesion no. 0.png")
    assert "look like masks" not in notes(tmp_path, *names)


def test_a_mask_alone_among_masks_that_no_folder_names(tmp_path):
    names = [f"lesion no. {number}" for number in range(3)]
    for number, name in enumerate(names[:2]):
        paint(tmp_path / f"pictures/{name}.jpg", number)
    for name in names:
        mask(tmp_path / f"annotated/{name}.png")
    paint(tmp_path / "annotated/lesion no. 9.png")
    assert find(tmp_path, *names, "lesion no. 9") == [
        "pictures/lesion no. 0.jpg",
        "pictures/lesion no. 1.jpg",
        None,
        "annotated/lesion no. 9.png",
    ]
    assert "none elsewhere" in notes(tmp_path, *names)


def test_what_lies_in_two_folders_is_compared_a_few_times(tmp_path, monkeypatch):
    opened = []
    names = [f"lesion no. {number}" for number in range(30)]
    (tmp_path / "b").mkdir()
    for number, name in enumerate(names):
        small = paint(tmp_path / f"a/{name}.png", number).resize((80, 60))
        small.save(tmp_path / f"b/{name}.png")
        mask(tmp_path / f"c/{name}.png")
    whole = whole_picture.open_image
    monkeypatch.setattr(
        whole_picture, "open_image", lambda path, **_: opened.append(path) or whole(path, **_)
    )
    assert find(tmp_path, *names) == [f"a/{name}.png" for name in names]
    assert {Path(path).name for path in opened} == {f"{name}.png" for name in names[:8]}
    # A larger file where copies were smaller is looked at again.
    paint(tmp_path / f"b/{names[20]}.png", 99).resize((320, 240)).save(
        tmp_path / f"b/{names[20]}.png"
    )
    assert names[20] in line(find, tmp_path, *names)


@pytest.mark.parametrize("folder", ["train_224", "a_resized", "thumbs", "128x128", "b"])
@pytest.mark.parametrize("size", [(64, 64), (80, 60)])
def test_resized_copies_are_left(tmp_path, folder, size):
    picture = paint(tmp_path / "train/a.png")
    (tmp_path / folder).mkdir()
    picture.resize(size).save(tmp_path / folder / "a.jpg")
    picture.crop((20, 0, 140, 120)).resize((60, 60)).save(tmp_path / folder / "a.webp")
    assert find(tmp_path, "a") == ["train/a.png"]
    assert "resized cop" in notes(tmp_path, "a")


def test_a_folder_named_as_if_for_copies_may_be_a_patient(tmp_path):
    paint(tmp_path / "299/DSC_1.png")
    paint(tmp_path / "298/DSC_1.png", 50)
    assert "'DSC_1'" in line(find, tmp_path, "DSC_1")


def test_copies_alone_are_taken(tmp_path):
    lay(tmp_path, "train_224/a.jpg")
    assert find(tmp_path, "a") == ["train_224/a.jpg"]


def test_another_format_of_the_same_pixels_is_a_copy(tmp_path):
    paint(tmp_path / "x/a.png").save(tmp_path / "x/a.bmp")
    assert find(tmp_path, "a", "a.png") == ["x/a.bmp", "x/a.png"]


def test_dicom_is_left_where_a_photograph_is(tmp_path):
    lay(tmp_path, "a/ISIC_1.dcm", "jpeg/ISIC_1.jpg")
    assert find(tmp_path, "ISIC_1") == ["jpeg/ISIC_1.jpg"]
    assert "1 DICOM file left" in notes(tmp_path, "ISIC_1")


@pytest.mark.parametrize("suffix", [".dcm", ".DICOM"])
def test_dicom_alone_is_taken(tmp_path, suffix):
    lay(tmp_path, f"train/ISIC_1{suffix}")
    for name in ("ISIC_1", "ISIC_1.jpg"):
        assert find(tmp_path, name) == [f"train/ISIC_1{suffix}"]


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", "torn"])
@pytest.mark.parametrize("place", ["a.png", "train_224/a.png"])
def test_a_broken_file_is_no_photograph_where_another_is(tmp_path, content, place):
    paint(tmp_path / "y/a.png")
    torn = (tmp_path / "y/a.png").read_bytes()[:-100]
    (tmp_path / "train_224").mkdir()
    (tmp_path / place).write_bytes(torn if content == "torn" else content)
    assert find(tmp_path, "a") == ["y/a.png"]


def test_what_a_folder_is_named_is_tried_on_a_few_files(tmp_path, monkeypatch):
    opened = []
    names = [f"lesion no. {number}" for number in range(30)]
    for number, name in enumerate(names):
        paint(tmp_path / f"binary/{name}.png", number)
    whole = whole_picture.open_image
    monkeypatch.setattr(
        whole_picture, "open_image", lambda path, **_: opened.append(path) or whole(path, **_)
    )
    assert find(tmp_path, *names) == [f"binary/{name}.png" for name in names]
    assert len(opened) == 8 + 1  # and one of those taken
