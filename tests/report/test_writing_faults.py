"""Where the machine refuses to write, the page of before stays whole."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from melanoscope.atomic import atomic_folder
from melanoscope.audit.audit import run_audit
from melanoscope.data.archive import SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import simulated
from melanoscope.errors import RunError
from melanoscope.report import audit_page, build
from melanoscope.report.audit_page import write_audit
from tests.machine import little_room

LOCKS = {".report.lock", ".writing.lock"}


def snapshot(folder: Path) -> dict[str, bytes]:
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in LOCKS]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


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
    left = out / ".index.html.7.partial"  # by a kill
    left.write_text("half")
    write_audit(found, out)
    assert snapshot(out).keys() == {"index.html", "audit.json"}


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
    assert {path.name for path in run_folder.glob(".*")} <= {".report.lock"}


def test_two_reports_of_one_run_are_written_one_after_the_other(tmp_path: Path) -> None:
    """The second would take the half-written folder of the first for a killed one's."""
    order, begun = [], threading.Event()

    def second() -> None:
        begun.set()
        with atomic_folder(tmp_path / "report", replace=True) as new:
            order.append("second")
            (new / "index.html").write_text("of the second")

    thread = threading.Thread(target=second)
    with atomic_folder(tmp_path / "report", replace=True) as new:
        thread.start()
        begun.wait()
        thread.join(0.2)
        (new / "index.html").write_text("of the first")
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    assert (tmp_path / "report" / "index.html").read_text() == "of the second"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
