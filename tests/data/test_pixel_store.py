"""The pixel store: each photograph decoded once, whatever happens in between."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from melanoscope.data import pixel_store
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixel_store import PixelStore, open_pixel_store
from melanoscope.errors import DataError
from melanoscope.imaging.decode import read_image

PX = 16
KINDS = ("png", "jpg", "webp", "bmp", "tif")


class Archive:
    """Files on disk and their catalog."""

    def __init__(self, folder: Path, make_table, draw, count: int = 12) -> None:
        self.names = [f"i{n:03d}" for n in range(count)]
        self.paths = {
            name: draw(folder / f"{name}.{KINDS[n % len(KINDS)]}", n)
            for n, name in enumerate(self.names)
        }
        self.draw, self.make_table = draw, make_table

    @property
    def catalog(self) -> Catalog:
        rows = [{"image_id": name, "path": str(path)} for name, path in self.paths.items()]
        return build_catalog([self.make_table("a", [{"image_id": "absent"}, *rows])])


@pytest.fixture
def archive(tmp_path, make_table, draw) -> Archive:
    return Archive(tmp_path / "archive", make_table, draw)


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Names of the files decoded from now on."""
    names: list[str] = []

    def read(path: Path, px: int) -> np.ndarray:
        names.append(path.stem)
        return read_image(path, px)

    monkeypatch.setattr(pixel_store, "read_image", read)
    return names


def check(store: PixelStore, archive: Archive, *without: str) -> None:
    """Every pixel is what reading the file gives; nothing else is offered."""
    names = [name for name in archive.names if name not in without]
    assert set(store.row_of) == set(names)
    assert set(store.unreadable) == set(without)
    assert store.image_size == PX
    expected = np.stack([read_image(archive.paths[name], PX) for name in names])
    assert (store.pixels[store.rows(names)] == expected).all()


def test_pixels_are_those_of_the_photographs(archive, cache):
    told = []
    store = open_pixel_store(archive.catalog, PX, cache, progress=lambda *now: told.append(now))
    check(store, archive)
    assert store.n_decoded == len(archive.names)
    assert store.pixels.dtype == np.uint8
    assert not store.pixels.flags.writeable
    assert told == [(12, 12)]


def test_rows_follow_the_question(archive, cache):
    store = open_pixel_store(archive.catalog, PX, cache)
    some = ["i007", "i001", "i007"]
    for name, pixels in zip(some, store.pixels[store.rows(some)], strict=True):
        assert (pixels == read_image(archive.paths[name], PX)).all()


def test_nothing_changed_nothing_decoded(archive, cache, decoded):
    open_pixel_store(archive.catalog, PX, cache)
    decoded.clear()
    told = []
    store = open_pixel_store(archive.catalog, PX, cache, progress=lambda *now: told.append(now))
    assert decoded == []
    assert store.n_decoded == 0
    assert told == []
    check(store, archive)


def test_a_changed_file_is_decoded_again_and_no_other(archive, cache, decoded):
    open_pixel_store(archive.catalog, PX, cache)
    archive.draw(archive.paths["i004"], 99)
    decoded.clear()
    store = open_pixel_store(archive.catalog, PX, cache)
    assert decoded == ["i004"]
    assert store.n_decoded == 1
    check(store, archive)


def test_a_change_that_keeps_the_size_shows_in_the_time(archive, cache):
    """Bitmaps of one shape all have one size."""
    path = archive.paths["i003"]
    assert path.suffix == ".bmp"
    open_pixel_store(archive.catalog, PX, cache)
    before = path.stat()
    archive.draw(path, 99)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert open_pixel_store(archive.catalog, PX, cache).n_decoded == 1


def test_another_size_is_another_store(archive, cache, draw):
    small, large = (open_pixel_store(archive.catalog, px, cache) for px in (PX, 24))
    assert large.n_decoded == len(archive.names)
    assert large.pixels.shape[1:] == (24, 24, 3)
    check(small, archive)
    assert open_pixel_store(archive.catalog, PX, cache).n_decoded == 0


def test_other_photographs_are_another_store(archive, cache):
    open_pixel_store(archive.catalog, PX, cache)
    some = archive.catalog.without(["i000"])
    store = open_pixel_store(some, PX, cache)
    assert store.n_decoded == len(archive.names) - 1
    assert (store.pixels[0] == read_image(archive.paths["i001"], PX)).all()


def test_many_workers_and_chunks_give_the_same(archive, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(pixel_store, "_CHUNK", 5)
    told = []
    store = open_pixel_store(
        archive.catalog, PX, cache, workers=7, progress=lambda *now: told.append(now)
    )
    assert told == [(5, 12), (10, 12), (12, 12)]
    one = open_pixel_store(archive.catalog, PX, tmp_path / "other", workers=1)
    assert (store.pixels == one.pixels).all()


# --- stopped in between


def test_goes_on_after_an_exception(archive, cache, monkeypatch):
    monkeypatch.setattr(pixel_store, "_CHUNK", 4)
    catalog = archive.catalog

    def stop(path: Path, px: int) -> np.ndarray:
        if path.stem == "i009":
            raise KeyboardInterrupt
        return read_image(path, px)

    with monkeypatch.context() as patch:
        patch.setattr(pixel_store, "read_image", stop)
        with pytest.raises(KeyboardInterrupt):
            open_pixel_store(catalog, PX, cache, workers=1)
    store = open_pixel_store(catalog, PX, cache)
    assert store.n_decoded == 4  # two chunks were finished, the third was not
    check(store, archive)


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
import polars as pl
from melanoscope.data import pixel_store
from melanoscope.data.catalog import Catalog
from melanoscope.imaging.decode import read_image

pixel_store._CHUNK = 3
begun = 0

def slow(path, px):
    global begun
    begun += 1
    if begun == 9:
        print("now", flush=True)
        time.sleep(60)
    return read_image(path, px)

pixel_store.read_image = slow
catalog = Catalog(pl.read_parquet(sys.argv[1]))
pixel_store.open_pixel_store(catalog, int(sys.argv[2]), Path(sys.argv[3]), workers=1)
"""


def test_goes_on_after_a_kill(archive, cache, tmp_path, decoded):
    catalog = archive.catalog
    catalog.frame.write_parquet(tmp_path / "catalog.parquet")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "catalog.parquet"), str(PX), str(cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    store = open_pixel_store(catalog, PX, cache)
    assert sorted(decoded) == archive.names[6:]  # two chunks of three were finished
    assert store.n_decoded == 6
    check(store, archive)


def test_a_kill_while_decoding_a_changed_file_again(archive, cache, monkeypatch):
    """Half-written new pixels must not pass under the old file's signature."""
    catalog = archive.catalog
    open_pixel_store(catalog, PX, cache)
    path = archive.paths["i003"]
    old, old_time = path.read_bytes(), path.stat().st_mtime_ns
    archive.draw(path, 99)

    def stop(_path: Path, _px: int) -> np.ndarray:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pixel_store, "read_image", stop)
        with pytest.raises(KeyboardInterrupt):
            open_pixel_store(catalog, PX, cache)
    path.write_bytes(old)
    os.utime(path, ns=(old_time, old_time))
    store = open_pixel_store(catalog, PX, cache)
    assert store.n_decoded == 1
    check(store, archive)


def test_a_file_of_the_store_that_was_cut_short_is_made_anew(archive, cache):
    catalog = archive.catalog
    open_pixel_store(catalog, PX, cache)
    (signatures,) = cache.rglob("signatures.i64")
    os.truncate(signatures, 40)
    store = open_pixel_store(catalog, PX, cache)
    assert store.n_decoded == len(archive.names)
    check(store, archive)


def test_pixels_that_were_lost_are_not_trusted(archive, cache):
    """Deleted or cut to make room: signatures alone say nothing of pixels."""
    catalog = archive.catalog
    for damage in (Path.unlink, lambda path: os.truncate(path, 40)):
        open_pixel_store(catalog, PX, cache)
        (pixels,) = cache.rglob("pixels.u8")
        damage(pixels)
        check(open_pixel_store(catalog, PX, cache), archive)


# --- unreadable


def test_an_unreadable_file_is_named_and_the_others_go_on(archive, cache, decoded):
    whole = archive.paths["i002"].read_bytes()
    archive.paths["i002"].write_bytes(whole[: len(whole) // 2])
    archive.paths["i006"].write_bytes(b"")
    os.utime(archive.paths["i006"], (0, 0))
    catalog = archive.catalog
    archive.paths["i008"].unlink()
    for expected in (9, 0):  # the second time the reasons are given again
        store = open_pixel_store(catalog, PX, cache)
        assert store.n_decoded == expected
        assert "broken" in store.unreadable["i002"]
        assert store.unreadable["i006"] == "an empty file"
        assert store.unreadable["i008"] == "no file"
        check(store, archive, "i002", "i006", "i008")

    archive.paths["i002"].write_bytes(whole)
    archive.draw(archive.paths["i008"], 8)
    decoded.clear()
    store = open_pixel_store(catalog, PX, cache)
    assert sorted(decoded) == ["i002", "i006", "i008"]
    assert store.n_decoded == 2
    check(store, archive, "i006")


def test_a_file_that_breaks_afterwards_is_no_longer_served(archive, cache):
    catalog = archive.catalog
    open_pixel_store(catalog, PX, cache)
    archive.paths["i005"].write_bytes(b"no more a photograph")
    check(open_pixel_store(catalog, PX, cache), archive, "i005")


def test_nothing_to_decode(make_table, cache):
    catalog = build_catalog([make_table("a", [{"image_id": "absent"}])])
    with pytest.raises(DataError, match="photographs on disk"):
        open_pixel_store(catalog, PX, cache)
    assert not cache.exists()


# --- the disk


def test_a_full_disk(archive, cache, monkeypatch):
    def full(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full, raising=False)
        with pytest.raises(DataError, match="MiB free") as caught:
            open_pixel_store(archive.catalog, PX, cache)
    assert "--cache" in caught.value.mend
    assert "\n" not in str(caught.value)
    assert not [path for path in cache.rglob("*") if path.is_file()]
    check(open_pixel_store(archive.catalog, PX, cache), archive)


def test_a_cache_that_is_a_file(archive, cache):
    cache.write_bytes(b"")
    with pytest.raises(DataError, match="can be written to") as caught:
        open_pixel_store(archive.catalog, PX, cache)
    assert str(cache) in caught.value.expected
    assert "--cache" in caught.value.mend


def test_a_cache_that_may_not_be_written(archive, cache, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        open_pixel_store(archive.catalog, PX, cache)


def test_the_store_takes_its_whole_room_at_once(archive, cache, monkeypatch):
    """Else a disk that fills up later would kill the process at some page."""
    seen = []
    lock = threading.Lock()

    def read(path: Path, px: int) -> np.ndarray:
        with lock:
            (found,) = cache.rglob("pixels.u8")
            seen.append(found.stat().st_blocks * 512)
        time.sleep(0)
        return read_image(path, px)

    monkeypatch.setattr(pixel_store, "read_image", read)
    open_pixel_store(archive.catalog, PX, cache)
    assert min(seen) >= len(archive.names) * PX * PX * 3
