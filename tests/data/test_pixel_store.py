"""The pixel store: each photograph decoded once, whatever happens in between."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from melanoscope.data import pixel_store
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.errors import DataError
from melanoscope.imaging.decode import read_image

from .pixel_archive import PX, Archive, check


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
