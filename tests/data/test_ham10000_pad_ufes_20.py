"""HAM10000 and PAD-UFES-20 as they are published: columns, ids, labels, folders."""

from __future__ import annotations

import polars as pl

from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import ham10000, pad_ufes_20

from .archives import (
    HAM_DIAGNOSES,
    HAM_SITES,
    PAD_DIAGNOSES,
    PAD_SITES,
    Row,
    by_id,
    line,
    touch,
    write_ham,
    write_pad,
)


def test_ham10000(tmp_path):
    folder = write_ham(
        tmp_path,
        *({"image_id": word, "dx": word} for word in HAM_DIAGNOSES),
        *({"image_id": f"s {word}", "localization": word} for word in HAM_SITES),
        {"image_id": "x", "lesion_id": "HAM_1", "age": "0.0", "sex": "unknown"},
        {"image_id": "y", "lesion_id": "HAM_1", "age": ""},
    )
    rows = by_id(ham10000.read(folder))
    assert {w: rows[w]["diagnosis"] for w in HAM_DIAGNOSES} == HAM_DIAGNOSES
    assert {w: rows[f"s {w}"]["site"] for w in HAM_SITES} == HAM_SITES
    assert [r["image_id"] for r in rows.values() if r["target"] == 1] == ["mel"]
    assert (rows["x"]["age"], rows["x"]["sex"], rows["y"]["age"]) == (None, "unknown", None)
    frame = build_catalog([ham10000.read(folder)]).frame
    assert frame.filter(pl.col("lesion_id") == "HAM_1")["group_id"].to_list() == ["x", "x"]


def test_ham10000_doubled_folders(tmp_path):
    """Downloads hold HAM10000_images_part_1 and ham10000_images_part_1 with the same files."""
    folder = write_ham(tmp_path, {"image_id": "a"})
    touch(folder / "HAM10000_images_part_1", "a.jpg")
    touch(folder / "ham10000_images_part_1b", "a.jpg")
    assert by_id(ham10000.read(folder))["a"]["path"] == str(
        folder / "HAM10000_images_part_1" / "a.jpg"
    )
    (folder / "ham10000_images_part_1b" / "a.jpg").write_bytes(b"another photograph")
    said = line(ham10000.read, folder)
    assert "one photograph named 'a'" in said
    assert "part_1b" in said


def test_linked_folders_are_entered_once(tmp_path):
    """Photographs often lie on another disk; a link to itself must not last for ever."""
    folder = write_ham(tmp_path / "ham", {"image_id": "a"})
    touch(tmp_path / "disk", "a.jpg")
    (folder / "images").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(folder)
    assert by_id(ham10000.read(folder))["a"]["path"] == str(folder / "images" / "a.jpg")


def test_pad_ufes_20(tmp_path):
    def row(word: str, **more: object) -> Row:
        return {"img_id": f"{word}.png", "patient_id": f"P {word}", "lesion_id": "7", **more}

    folder = write_pad(
        tmp_path,
        *(row(word, diagnostic=word) for word in PAD_DIAGNOSES),
        *(row(f"s {word}", region=word, gender="FEMALE") for word in PAD_SITES),
    )
    touch(folder / "images", "MEL.jpg", "NEV.png")
    rows = by_id(pad_ufes_20.read(folder))
    assert {w: rows[w]["diagnosis"] for w in PAD_DIAGNOSES} == PAD_DIAGNOSES
    assert {w: rows[f"s {w}"]["site"] for w in PAD_SITES} == PAD_SITES
    assert rows["MEL"]["target"] == 1
    assert rows["MEL"]["path"] == str(folder / "images" / "MEL.jpg")  # the table says .png
    assert rows["NEV"]["path"] == str(folder / "images" / "NEV.png")
    assert rows["BCC"]["path"] is None
    assert (rows["MEL"]["sex"], rows["s ARM"]["sex"]) == ("unknown", "female")
    # Lesion 7 of one patient is not lesion 7 of another.
    assert build_catalog([pad_ufes_20.read(folder)]).frame["group_id"].n_unique() == len(rows)


def test_pad_ufes_20_groups_by_patient(tmp_path):
    folder = write_pad(
        tmp_path,
        {"img_id": "a.png", "patient_id": "P", "lesion_id": "1"},
        {"img_id": "b.png", "patient_id": "P", "lesion_id": "2"},
    )
    assert build_catalog([pad_ufes_20.read(folder)]).frame["group_id"].n_unique() == 1


def test_pad_ufes_20_lesions_of_nobody_are_nobodys(tmp_path):
    """Numbers of lesions mean nothing without a patient: those of nameless ones join nobody."""
    folder = write_pad(
        tmp_path,
        {"img_id": "a.png", "patient_id": "", "lesion_id": "1"},
        {"img_id": "b.png", "patient_id": "unknown", "lesion_id": "1"},
        {"img_id": "c.png", "patient_id": "P", "lesion_id": "1"},
    )
    catalog = build_catalog([pad_ufes_20.read(folder)])
    assert catalog.frame["group_id"].to_list() == ["a", "b", "c"]
    assert catalog.frame["lesion_id"].to_list() == [None, None, "P/1"]
