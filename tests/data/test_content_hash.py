"""The hash of a file is that of its bytes, and nobody waits for what is no file."""

from __future__ import annotations

import os

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.data import content_hash as module
from melanoscope.data.content_hash import content_hash, content_hashes, file_hash


def test_a_file_of_several_blocks(tmp_path, monkeypatch):
    content = os.urandom(1000)
    (tmp_path / "a").write_bytes(content)
    whole = file_hash(tmp_path / "a")
    monkeypatch.setattr(module, "_BLOCK", 96)
    assert file_hash(tmp_path / "a") == whole == content_hash(content)
    assert whole == xxhash.xxh3_128(content).hexdigest()
    assert len(whole) == 32


def test_what_has_no_content(tmp_path):
    (tmp_path / "empty").touch()
    paths = [None, tmp_path / "absent", tmp_path, tmp_path / "empty", "a\0b"]
    assert content_hashes(paths) == [None] * len(paths)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert file_hash(tmp_path / "pipe") is None


@pytest.mark.parametrize("workers", [1, 3])
def test_order_and_progress(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(module, "_CHUNK", 4)
    paths = [tmp_path / str(n) for n in range(10)]
    for n, path in enumerate(paths):
        path.write_bytes(bytes([n]))
    told = []
    hashes = content_hashes(paths, workers, lambda *now: told.append(now))
    assert hashes == [content_hash(bytes([n])) for n in range(10)]
    assert told == [(4, 10), (8, 10), (10, 10)]


@settings(max_examples=50, database=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 299), st.integers(1, 255))
def test_any_changed_byte_shows(content, place, change):
    place %= len(content)
    other = content[:place] + bytes([content[place] ^ change]) + content[place + 1 :]
    assert content_hash(other) != content_hash(content)
