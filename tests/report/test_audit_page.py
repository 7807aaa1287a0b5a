"""The audit's page and document, from simulated photographs with copies among them."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.audit.audit import Audit, run_audit
from melanoscope.data.archive import SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import simulated
from melanoscope.errors import RunError
from melanoscope.imaging.decode import read_image, write_image
from melanoscope.report.audit_page import audit_document, write_audit


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """40 drawings, one of them twice under other labels, one mirrored, one file cut off."""
    folder = tmp_path_factory.mktemp("archive")
    rows = simulated.simulate_images(40, folder)
    first, second = rows[0], rows[1]
    pixels = read_image(Path(first["path"][0]), 160)
    write_image(folder / "again.jpg", pixels, quality=70)
    write_image(folder / "mirrored.jpg", pixels[:, ::-1].copy(), quality=90)
    (folder / "cut.jpg").write_bytes(Path(second["path"][0]).read_bytes()[:500])
    other = "nevus" if first["diagnosis"][0] == "melanoma" else "melanoma"
    extra = pl.concat([first, first, second]).with_columns(
        image_id=pl.Series(["AGAIN", "MIRRORED", "CUT"]),
        path=pl.Series([str(folder / f"{n}.jpg") for n in ("again", "mirrored", "cut")]),
        patient_id=pl.lit(None, pl.String),
        lesion_id=pl.lit(None, pl.String),
        diagnosis=pl.Series([other, first["diagnosis"][0], "nevus"]),
        malignancy=pl.lit(None, pl.String),
    )
    return pl.concat([rows, extra])


@pytest.fixture(scope="module")
def audit(table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    cache = tmp_path_factory.mktemp("cache")
    return run_audit(build_catalog([SourceTable("simulated", table)]), cache)


def test_finds_what_was_put_in(audit: Audit, table: pl.DataFrame, tmp_path: Path) -> None:
    found = audit
    original = table["image_id"][0]
    pairs = {(pair.a, pair.b): pair for pair in found.copies}
    assert pairs[("AGAIN", original)].kind == "conflict"
    assert pairs[("MIRRORED", original)].relation.startswith("mirrored")
    assert not pairs[("MIRRORED", original)].known
    assert list(found.unreadable) == ["CUT"]
    assert found.photographs == 42
    assert found.copies[0].kind == "conflict"
    by = {leak.by: leak for leak in found.leaks}
    assert by["group"].several >= by["patient"].several + 2
    page = write_audit(found, tmp_path / "out")
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/jpeg;base64,") >= 4
    assert "Two labels for one picture" in html
    assert "Simulated" in html
    assert "Licences" in html or "licences" in html
    assert 'src="http' not in html
    document = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert document == json.loads(json.dumps(audit_document(found)))
    assert "paths" not in document
    assert str(tmp_path) not in json.dumps(document["copies"])


def test_one_class_has_no_associations(table: pl.DataFrame, tmp_path: Path) -> None:
    alone = table.filter(pl.col("diagnosis") != "melanoma").filter(pl.col("image_id") != "CUT")
    found = run_audit(build_catalog([SourceTable("simulated", alone)]), tmp_path / "cache")
    assert found.associations == ()
    assert found.archive_auroc is None
    assert np.isfinite([leak.expected for leak in found.leaks]).all()


def test_licenses_stand_beside_photographs_and_order_does_not_matter(
    table: pl.DataFrame, tmp_path: Path
) -> None:
    rows = table.filter(pl.col("image_id") != "CUT").with_columns(dataset=pl.lit("ham10000"))
    found = run_audit(build_catalog([SourceTable("ham10000", rows)]), tmp_path / "cache")
    order = np.random.default_rng(0).permutation(rows.height)
    again = run_audit(build_catalog([SourceTable("ham10000", rows[order])]), tmp_path / "cache")
    one, other = audit_document(found), audit_document(again)
    for key in ("copies", "leaks", "same_files", "same_pixels", "archives", "photographs"):
        assert one[key] == other[key], key
    assert [a["variable"] for a in one["associations"]] == [
        a["variable"] for a in other["associations"]
    ]
    html = write_audit(found, tmp_path / "out").read_text(encoding="utf-8")
    assert html.count("ham10000: CC BY-NC 4.0") == len(found.copies) > 0
    assert "Simulated" not in html
    assert found.never_read == {"ham10000": ("dx_type",)}
    assert "<b>ham10000</b>: dx_type" in html
    by = {leak.by: leak for leak in found.leaks}
    assert by["copies"].several >= 3
    assert by["group"].expected >= max(by["patient"].expected, by["copies"].expected)


def test_one_photograph(table: pl.DataFrame, tmp_path: Path) -> None:
    found = run_audit(build_catalog([SourceTable("simulated", table[:1])]), tmp_path / "cache")
    assert (found.photographs, found.copies, found.same_files, found.same_pixels) == (1, (), (), ())
    assert [leak.expected for leak in found.leaks] == [0, 0, 0, 0]
    assert write_audit(found, tmp_path / "out").is_file()


def test_a_full_disk_leaves_the_audit_of_before(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both files are of one audit: none is replaced before the other is whole."""
    folder = tmp_path / "audit"
    write_audit(audit, folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(before) == {"audit.json", "index.html"}
    write_bytes = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        write_bytes(path, content[: len(content) // 2])
        if "index.html" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="room on the disk"):
        write_audit(audit, folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
