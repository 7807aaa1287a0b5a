"""Photographs whose disk goes, or whose machine fails, while they are read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from melanoscope.cli.app import _explain
from melanoscope.data import content_hash as hashing
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.summary import find_unreadable
from melanoscope.errors import DataError
from melanoscope.imaging import open_image
from melanoscope.imaging.decode import why_unreadable

PX = 16


@pytest.fixture
def catalog(tmp_path, make_table, draw) -> Catalog:
    """Six photographs in each of two folders, as of two disks."""
    tables = []
    for at, folder in ((0, "a"), (6, "b")):
        (tmp_path / folder).mkdir()
        rows = [
            {"image_id": f"{folder}{n}", "path": str(draw(tmp_path / folder / f"{n}.png", n + at))}
            for n in range(6)
        ]
        tables.append(make_table(folder, rows))
    return build_catalog(tables)


@pytest.mark.parametrize("how", ["gone", "empty"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_disk_that_goes_ends_the_run(
    catalog: Catalog, tmp_path: Path, how: str, begun: bool
) -> None:
    if begun:
        open_pixel_store(catalog, PX, tmp_path / "cache")
    kept = tmp_path / "b"
    (tmp_path / "b").rename(tmp_path / "elsewhere")
    if how == "empty":  # the place where it was mounted
        kept.mkdir()
    with pytest.raises(DataError, match="mount its disk again") as caught:
        open_pixel_store(catalog, PX, tmp_path / "cache")
    assert f"'{kept}'" in str(caught.value)
    if how == "empty":
        kept.rmdir()
    (tmp_path / "elsewhere").rename(kept)
    store = open_pixel_store(catalog, PX, tmp_path / "cache")
    assert not store.unreadable
    assert store.n_decoded == (0 if begun else 6)  # those of the other disk were not lost


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_a_failing_machine_is_no_fault_of_a_photograph(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    bad, opened = str(tmp_path / "a" / "3.png"), Path.open

    def failing(path: Path, *how: object, **options: object) -> object:
        if str(path) == bad:
            raise OSError(number, os.strerror(number))  # as of a read: without a name
        return opened(path, *how, **options)

    monkeypatch.setattr(Path, "open", failing)
    monkeypatch.setattr(hashing, "file_hash", lambda path, _: None if path is None else "00" * 16)
    for look in (
        lambda: why_unreadable(Path(bad)),
        lambda: find_unreadable(catalog),
        lambda: open_pixel_store(catalog, PX, tmp_path / "cache"),
    ):
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            look()
        assert caught.value.filename == bad
        line = _explain(caught.value)
        assert line is not None
        assert bad in line
        assert "start the same command again" in line


def test_a_photograph_that_may_not_be_read_is_one(tmp_path: Path, monkeypatch) -> None:
    def closed(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(open_image, "detect_kind", closed)
    assert why_unreadable(tmp_path / "x.jpg") == "no permission to read"


def test_a_store_stops_where_its_machine_fails(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "2.png").write_bytes(b"")  # asked for its reason, not hashed

    def exhausted(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files", str(tmp_path / "a" / "2.png"))

    monkeypatch.setattr(open_image, "detect_kind", exhausted)
    with pytest.raises(OSError, match="Too many open files"):
        open_pixel_store(catalog, PX, tmp_path / "cache")
    monkeypatch.undo()
    store = open_pixel_store(catalog, PX, tmp_path / "cache")
    assert store.unreadable == {"a2": "an empty file"}
