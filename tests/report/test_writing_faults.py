"""Where the machine refuses to write, the page of before stays whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from melanoscope.audit.audit import run_audit
from melanoscope.data.archive import SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import simulated
from melanoscope.errors import RunError
from melanoscope.report import audit_page, build
from melanoscope.report.audit_page import write_audit
from tests.machine import little_room


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_an_audit_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = simulated.simulate_images(24, tmp_path)
    found = run_audit(build_catalog([SourceTable("simulated", rows)]), tmp_path / "cache")
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("of before")
    before = snapshot(out)
    with little_room(2_000), pytest.raises(RunError, match="File too large") as caught:
        write_audit(found, out)
    assert f"'{out}'" in str(caught.value)
    assert snapshot(out) == before

    # Neither of the two gets its name before both are written.
    def unwritable(*_: object) -> dict[str, object]:
        return {"text": "x" * 50_000}

    monkeypatch.setattr(audit_page, "audit_document", unwritable)
    monkeypatch.setattr(audit_page, "_render", lambda _: "new")
    with little_room(), pytest.raises(RunError, match="ulimit -f"):
        write_audit(found, out)
    assert snapshot(out) == before
    assert write_audit(found, out).read_text() == "new"
    assert {path.name for path in out.iterdir()} == {"index.html", "audit.json"}


def test_a_report_that_cannot_be_written(
    run_folder: Path, build_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing is no part of it.
    monkeypatch.setattr(build.ReportFigure, "files", {"svg": b"<svg/>" * 9_999, "png": b"x"})
    (run_folder / "report").mkdir()
    (run_folder / "report" / "index.html").write_text("of before")
    before = snapshot(run_folder)
    with little_room(), pytest.raises(RunError, match="File too large") as caught:
        build_page(run_folder, replicates=100)
    assert f"'{run_folder}'" in str(caught.value)
    assert snapshot(run_folder) == before
    left = run_folder / ".report.partial"
    left.mkdir()
    (left / "half").write_text("")
    assert "of before" not in build_page(run_folder, replicates=100).read_text()
    assert not list(run_folder.glob(".*"))
