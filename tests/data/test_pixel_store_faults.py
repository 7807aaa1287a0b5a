"""The pixel store after a kill, on a full or closed disk, or damaged."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from melanoscope.data import pixel_store
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.errors import DataError

from .pixel_archive import PX, check


def test_goes_on_after_an_exception(archive, cache, monkeypatch):
    monkeypatch.setattr(pixel_store, "_CHUNK", 4)
    catalog = archive.catalog

    decode = pixel_store._decode

    def stop(path: Path, *rest) -> str | None:
        if path.stem == "i009":
            raise KeyboardInterrupt
        return decode(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(pixel_store, "_decode", stop)
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

pixel_store._CHUNK = 3
begun, decode = 0, pixel_store._decode

def slow(*row):
    global begun
    begun += 1
    if begun == 9:
        print("now", flush=True)
        time.sleep(60)
    return decode(*row)

pixel_store._decode = slow
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


OPENED = """
import sys
from pathlib import Path
import numpy as np
import polars as pl
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import open_pixel_store

catalog = Catalog(pl.read_parquet(sys.argv[1]))
sys.stdin.readline()
store = open_pixel_store(catalog, int(sys.argv[2]), Path(sys.argv[3]), workers=1)
print(store.n_decoded, int(store.pixels.astype(np.int64).sum()))
"""


def test_two_processes_at_once(archive, cache, tmp_path):
    """One decodes, the other waits and finds everything."""
    catalog = archive.catalog
    catalog.frame.write_parquet(tmp_path / "catalog.parquet")
    command = [sys.executable, "-c", OPENED, str(tmp_path / "catalog.parquet"), str(PX), str(cache)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for process in processes:
        process.stdin.write("now\n")
        process.stdin.flush()
    found = sorted(tuple(map(int, p.communicate(timeout=60)[0].split())) for p in processes)
    store = open_pixel_store(catalog, PX, cache)
    total = int(store.pixels.astype(np.int64).sum())
    assert found == [(0, total), (len(archive.names), total)]
    assert store.n_decoded == 0
    check(store, archive)


def test_threads_that_open_stores_with_common_photographs(archive, cache):
    """Each writes its own store only, and takes over from the others what they have."""
    catalog = archive.catalog
    parts = [catalog, catalog.without(["i000"]), catalog.without(["i005", "i007"])]
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda part: open_pixel_store(part, PX, cache), parts * 2))
    for part, store in zip(parts * 2, stores, strict=True):
        names = set(part.with_files.frame["image_id"])
        check(store, archive, absent=[name for name in archive.names if name not in names])


def test_a_file_of_the_store_that_was_cut_short_is_made_anew(archive, cache):
    catalog = archive.catalog
    open_pixel_store(catalog, PX, cache)
    for name in ("checksums.u8", "contents.u8"):
        (found,) = cache.rglob(name)
        os.truncate(found, 10)
        store = open_pixel_store(catalog, PX, cache)
        assert store.n_decoded == len(archive.names)
        check(store, archive)


def blacken(path):
    path.write_bytes(bytes(path.stat().st_size))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("damage", "spoiled"), [(blacken, None), (flip_a_bit, 1)])
def test_damaged_pixels_are_decoded_again(archive, cache, caplog, damage, spoiled):
    """As a crash between two writes, a failing disk or a race leaves them: of the right size."""
    catalog = archive.catalog
    open_pixel_store(catalog, PX, cache)
    (pixels,) = cache.rglob("pixels.u8")
    damage(pixels)
    spoiled = spoiled or len(archive.names)
    store = open_pixel_store(catalog, PX, cache)
    assert store.n_decoded == spoiled
    check(store, archive)
    assert f"{spoiled} damaged images" in caplog.text
    assert open_pixel_store(catalog, PX, cache).n_decoded == 0


def test_damaged_pixels_are_not_taken_over(archive, cache):
    open_pixel_store(archive.catalog, PX, cache)
    (pixels,) = cache.rglob("pixels.u8")
    blacken(pixels)
    some = archive.catalog.without(["i000"])
    store = open_pixel_store(some, PX, cache)
    assert store.n_decoded == len(archive.names) - 1
    check(store, archive, absent=["i000"])


def test_a_damaged_store_gives_nothing_to_others(archive, cache):
    for name, damage in (("pixels.u8", Path.unlink), ("contents.u8", Path.unlink)):
        open_pixel_store(archive.catalog, PX, cache)
        for found in cache.rglob(name):
            damage(found)
        some = archive.catalog.without(["i000"])
        check(open_pixel_store(some, PX, cache), archive, absent=["i000"])


def test_pixels_that_were_lost_are_not_trusted(archive, cache):
    """Deleted or cut to make room: signatures alone say nothing of pixels."""
    catalog = archive.catalog
    for damage in (Path.unlink, lambda path: os.truncate(path, 40)):
        open_pixel_store(catalog, PX, cache)
        (pixels,) = cache.rglob("pixels.u8")
        damage(pixels)
        check(open_pixel_store(catalog, PX, cache), archive)


def test_a_full_disk(archive, cache, monkeypatch):
    def full(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full, raising=False)
        with pytest.raises(DataError, match="MiB free") as caught:
            open_pixel_store(archive.catalog, PX, cache)
    assert "--cache" in caught.value.mend
    assert "\n" not in str(caught.value)
    assert {path.name for path in cache.rglob("*") if path.is_file()} <= {"lock", "contents.u8"}
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

    decode = pixel_store._decode

    def read(*row) -> str | None:
        with lock:
            (found,) = cache.rglob("pixels.u8")
            seen.append(found.stat().st_blocks * 512)
        time.sleep(0)
        return decode(*row)

    monkeypatch.setattr(pixel_store, "_decode", read)
    open_pixel_store(archive.catalog, PX, cache)
    assert min(seen) >= len(archive.names) * PX * PX * 3
