"""One photograph under several names, and archives that are copies of each other."""

from __future__ import annotations

import shutil

import pytest

from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import ham10000, own_csv, pad_ufes_20
from melanoscope.errors import DataError

from .archives import write, write_ham, write_pad


@pytest.mark.parametrize("other", ["./a.jpg", "../p/a.jpg", "a", "link/a.jpg"])
def test_a_file_that_two_rows_name_is_refused(tmp_path, draw, other):
    folder = draw(tmp_path / "p" / "a.jpg").parent
    (folder / "link").symlink_to(folder)
    rows = [{"path": name, "target": t} for t, name in enumerate(("a.jpg", other))]
    table = write(folder / "t.csv", "path,target", rows)
    with pytest.raises(DataError, match="one row for each photograph") as caught:
        build_catalog([own_csv.read(table)])
    assert f"as 'a.jpg' of table:t and '{other}' of table:t" in caught.value.found


def test_an_own_table_over_an_archives_photographs_is_refused_beside_the_archive(tmp_path, draw):
    draw(tmp_path / "ISIC_1.jpg")
    write_ham(tmp_path, {"image_id": "ISIC_1", "lesion_id": "H", "dx": "nv"})
    own = write(tmp_path / "own.csv", "image_id,dx", [{"image_id": "ISIC_1", "dx": "nv"}])
    tables = [ham10000.read(tmp_path), own_csv.read(own)]
    with pytest.raises(DataError, match="1 file that several rows name") as caught:
        build_catalog(tables)
    assert "of ham10000" in caught.value.found


@pytest.mark.parametrize("way", ["same", "link"])
@pytest.mark.parametrize("kind", [ham10000, pad_ufes_20])
def test_an_archive_named_twice_is_refused_whatever_its_kind(tmp_path, draw, kind, way):
    folder = tmp_path / "archive"
    draw(folder / "x.png")
    write_ham(folder, {"image_id": "x", "lesion_id": "H", "dx": "nv"})
    write_pad(folder, {"img_id": "x.png", "patient_id": "P", "lesion_id": "1", "diagnostic": "NEV"})
    again = folder
    if way == "link":
        again = tmp_path / "link"
        again.symlink_to(folder)
    with pytest.raises(DataError, match="each table once"):
        build_catalog([kind.read(folder), kind.read(again)])


@pytest.mark.parametrize("same", [True, False])
def test_a_copy_of_an_archive_is_said(tmp_path, draw, same):
    for name in ("a", "b"):
        draw(tmp_path / name / "x.jpg", 1)
        draw(tmp_path / name / "y.jpg", 2 if same or name == "a" else 3)
        rows = [{"path": f"{f}.jpg", "target": 0} for f in "xy"]
        write(tmp_path / name / "t.csv", "path,target", rows)
    if not same:
        shutil.copy(draw(tmp_path / "z.jpg", 4), tmp_path / "b" / "x.jpg")
    notes = build_catalog([own_csv.read(tmp_path / name) for name in "ab"]).notes
    said = "table:t (a) and table:t (b) share 2 names of photographs, and 2 of 2 compared"
    assert any(note.startswith(said) for note in notes) == same
