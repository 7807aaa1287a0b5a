"""Each row finds its photograph, and no other; what is absent says why."""

from __future__ import annotations

import os
import shutil
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from melanoscope.data.archive import SourceTable
from melanoscope.data.sources.image_files import find_image_files, refuse_without_files
from melanoscope.data.sources.image_files.names import (
    is_camera_name,
    is_mask_folder,
    is_resized_folder,
    split_row_name,
)
from melanoscope.imaging import whole_picture

from .archives import line, touch


def find(folder: Path, *names: str | None) -> list[str | None]:
    """Find files; return them as paths from `folder`."""
    paths = find_image_files(folder, pl.Series(names, dtype=pl.String)).paths
    return [path and str(Path(path).relative_to(folder)) for path in paths]


def notes(folder: Path, *names: str) -> str:
    return "\n".join(find_image_files(folder, pl.Series(names)).notes)


def lay(folder: Path, *files: str) -> Path:
    """Put files there, each of its own content."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.encode())
    return folder


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


# --- several files of one name


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


def paint(path: Path, seed: int = 0) -> Image.Image:
    """Draw something with large forms, of which resized copies are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    forms = np.random.default_rng(seed).integers(80, 180, (4, 5, 3), dtype=np.uint8)
    picture = Image.fromarray(forms).resize((160, 120), Image.Resampling.BICUBIC)
    picture.save(path)
    return picture


def mask(path: Path, size: tuple[int, int] = (160, 120), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new(mode, size)
    picture.paste("white", (40, 30, 110, 90))
    picture.save(path)


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


# --- why a photograph is absent


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
