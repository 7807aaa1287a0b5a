"""The pixel store: each photograph decoded once, whatever happens in between."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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

    decode = pixel_store._decode

    def read(path: Path, *rest) -> str | None:
        names.append(path.stem)
        return decode(path, *rest)

    monkeypatch.setattr(pixel_store, "_decode", read)
    return names


def check(
    store: PixelStore, archive: Archive, *unreadable: str, absent: Sequence[str] = ()
) -> None:
    """Every pixel is what reading the file gives; nothing else is offered."""
    names = [name for name in archive.names if name not in {*unreadable, *absent}]
    assert set(store.row_of) == set(names)
    assert set(store.unreadable) == set(unreadable)
    assert set(store.contents) == set(names)
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


@pytest.mark.parametrize("name", ["i000", "i003"])
def test_a_change_shows_though_size_and_time_stay(archive, cache, name):
    """As rsync -t, cp -p or a checkout leave it."""
    path = archive.paths[name]
    size = 2 * path.stat().st_size
    for seed, expected in ((98, len(archive.names)), (99, 1)):
        archive.draw(path, seed)
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        os.utime(path, (10**9, 10**9))
        store = open_pixel_store(archive.catalog, PX, cache)
        assert store.n_decoded == expected
        check(store, archive)


def test_the_same_names_elsewhere_are_not_the_same_photographs(tmp_path, make_table, draw, cache):
    """Two folders of DSC_0000, DSC_0001, ... of the same sizes and times."""
    one, other = (
        Archive(tmp_path / name, make_table, lambda path, n, by=by: draw(path, n + by))
        for name, by in (("one", 0), ("other", 100))
    )
    for name in one.names:
        a, b = one.paths[name], other.paths[name]
        size = max(a.stat().st_size, b.stat().st_size)
        for path in (a, b):
            path.write_bytes(path.read_bytes().ljust(size, b"\0"))
            os.utime(path, (10**9, 10**9))
    first, second = (open_pixel_store(one.catalog, PX, cache) for one in (one, other))
    check(first, one)
    check(second, other)
    assert second.n_decoded == len(other.names)


def test_the_same_photographs_elsewhere_share(archive, tmp_path, make_table, draw, cache):
    """Whatever folder, name and time they have."""
    open_pixel_store(archive.catalog, PX, cache)
    moved = Archive(tmp_path / "moved", make_table, draw)
    for name, path in moved.paths.items():
        os.utime(path, (10**9, 10**9))
        moved.paths[name] = path.rename(path.with_name(f"other-{path.name}"))
    before = sorted(cache.rglob("pixels.u8"))
    store = open_pixel_store(moved.catalog, PX, cache)
    assert store.n_decoded == 0
    assert sorted(cache.rglob("pixels.u8")) == before
    check(store, moved)


def test_one_content_under_two_ids(archive, cache):
    archive.paths["i001"].write_bytes(archive.paths["i000"].read_bytes())
    store = open_pixel_store(archive.catalog, PX, cache)
    check(store, archive)
    assert store.contents["i000"] == store.contents["i001"] != store.contents["i002"]


@pytest.mark.parametrize("times", [1, 2, 99])
def test_a_file_that_changes_between_hashing_and_decoding(archive, cache, monkeypatch, times):
    """Never new pixels under the old content's name."""
    decode, changes = pixel_store._decode, []

    def change_first(path: Path, *rest) -> str | None:
        if path.stem == "i003" and len(changes) < times:
            changes.append(1)
            archive.draw(path, 100 + len(changes))
        return decode(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(pixel_store, "_decode", change_first)
        if times == 99:
            with pytest.raises(DataError, match="stay as they are") as caught:
                open_pixel_store(archive.catalog, PX, cache)
            assert str(archive.paths["i003"]) in str(caught.value)
        else:
            check(open_pixel_store(archive.catalog, PX, cache), archive)
    check(open_pixel_store(archive.catalog, PX, cache), archive)


def test_a_file_that_comes_after_hashing(archive, cache, monkeypatch):
    late = archive.paths["i004"]
    content = late.read_bytes()
    late.write_bytes(b"")
    decode = pixel_store._decode

    def put_first(path: Path, *rest) -> str | None:
        if path == late:
            path.write_bytes(content)
        return decode(path, *rest)

    monkeypatch.setattr(pixel_store, "_decode", put_first)
    check(open_pixel_store(archive.catalog, PX, cache), archive)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(archive, cache):
    archive.paths["i004"].unlink()
    os.mkfifo(archive.paths["i004"])
    store = open_pixel_store(archive.catalog, PX, cache)
    assert store.unreadable == {"i004": "no ordinary file"}


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
    assert store.n_decoded == 0  # taken over from the first
    assert len(store.pixels) == len(archive.names) - 1
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
        assert store.unreadable["i002"] == "a truncated file"
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


def test_known_contents_spare_the_hashing(make_table, draw, tmp_path, monkeypatch):
    """A second size of the same photographs; one that changed in between is noticed."""
    rows = [
        {"image_id": name, "path": str(draw(tmp_path / f"{name}.png", seed))}
        for seed, name in enumerate("abc")
    ]
    catalog = build_catalog([make_table("a", rows)])
    first = open_pixel_store(catalog, 16, tmp_path / "cache")
    draw(tmp_path / "b.png", 9)
    hashed = []
    real = pixel_store.content_hashes
    monkeypatch.setattr(
        pixel_store, "content_hashes", lambda paths, *_: hashed.extend(paths) or real(paths)
    )
    second = open_pixel_store(catalog, 20, tmp_path / "cache", contents=first.contents)
    assert hashed == [tmp_path / "b.png"]
    assert second.contents["a"] == first.contents["a"]
    assert second.contents["b"] != first.contents["b"]
    np.testing.assert_array_equal(second.images(["b"])[0], read_image(tmp_path / "b.png", 20))
