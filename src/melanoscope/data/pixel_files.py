"""The files of one pixel store: made whole, written under a lock, filled from other stores.

`contents.u8` holds the hash of every file, `pixels.u8` the images, `done.u8` which of them are
decoded. A row that is done is never written again, since its content cannot change.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from melanoscope.atomic import DISK_FULL, atomic_path
from melanoscope.errors import DataError
from melanoscope.imaging.decode import DECODER_VERSION

_PIXELS, _CONTENTS, _DONE = "pixels.u8", "contents.u8", "done.u8"
_HASH_BYTES = 16
# Stands for a file that cannot be read, and whose row is never done.
_NONE = bytes(_HASH_BYTES)


@dataclass(frozen=True, eq=False)
class PixelFiles:
    """A store's files, open for writing while this process holds the store's lock.

    Attributes:
        folder: Folder of the store.
        contents: Hashes of all rows' files, 16 bytes each.
        pixels: RGB images, shape (n, image_size, image_size, 3), uint8.
        done: Which of them are decoded, shape (n,), uint8 0 or 1.
    """

    folder: Path
    contents: bytes
    pixels: np.memmap[Any, Any]
    done: np.memmap[Any, Any]

    def read_only(self) -> NDArray[np.uint8]:
        """Map the images once more, so that nobody can write to them."""
        return np.memmap(self.folder / _PIXELS, np.uint8, "r", shape=self.pixels.shape)

    def mark_done(self, rows: NDArray[np.int64]) -> None:
        """Say that `rows` are decoded, once their pixels are on disk."""
        self.pixels.flush()
        self.done[rows] = 1
        self.done.flush()

    def take_over(self) -> None:
        """Copy what other stores of the same size have decoded of the same contents."""
        lacking: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(self.done == 0):
            lacking.setdefault(_hash_at(self.contents, int(row)), []).append(int(row))
        lacking.pop(_NONE, None)
        kind = self.folder.name.rsplit("-", 1)[0]
        for other in sorted(self.folder.parent.glob(f"{kind}-*/{_DONE}")):
            if not lacking:
                return
            if other.parent != self.folder:
                self._take_from(other.parent, lacking)

    def _take_from(self, folder: Path, lacking: dict[bytes, list[int]]) -> None:
        try:
            contents, done = ((folder / name).read_bytes() for name in (_CONTENTS, _DONE))
            shape = (len(done), *self.pixels.shape[1:])
            pixels = np.memmap(folder / _PIXELS, np.uint8, "r", shape=shape)
        except (OSError, ValueError):
            return  # being made, or damaged: its own next opening sees to it
        if len(contents) != len(done) * _HASH_BYTES:
            return
        taken = []
        for row in np.flatnonzero(np.frombuffer(done, np.uint8)):
            for to in lacking.pop(_hash_at(contents, int(row)), ()):
                self.pixels[to] = pixels[row]
                taken.append(to)
        if taken:
            self.mark_done(np.array(taken, np.int64))


@contextmanager
def open_pixel_files(
    cache: Path, hashes: Sequence[str | None], image_size: int
) -> Iterator[PixelFiles]:
    """Open a store for writing, alone.

    Args:
        cache: Folder that holds all stores.
        hashes: Content hash of each row's file; None where it cannot be read.
        image_size: Side of the squares in pixels.

    Yields:
        The files. A second process that wants them waits, and finds everything done.

    Raises:
        DataError: The disk is full, or the cache cannot be written to.
    """
    contents = b"".join(_NONE if one is None else bytes.fromhex(one) for one in hashes)
    name = hashlib.sha256(contents).hexdigest()[:32]
    folder = cache / "pixels" / f"{image_size}px-decoder{DECODER_VERSION}-{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "lock")
        lock.acquire()
    except OSError as error:
        raise _closed(cache, error) from None
    try:
        try:
            files = _open(folder, contents, image_size)
        except OSError as error:
            raise _closed(cache, error) from None
        yield files
    finally:
        lock.release()


def _open(folder: Path, contents: bytes, image_size: int) -> PixelFiles:
    shape = (len(contents) // _HASH_BYTES, image_size, image_size, 3)
    whole = _has_size(folder / _PIXELS, math.prod(shape))
    if not whole or not _holds(folder / _CONTENTS, contents):
        # What says "done" of pixels or contents that were lost would pass black squares as decoded.
        (folder / _DONE).unlink(missing_ok=True)
        with atomic_path(folder / _CONTENTS) as partial:
            partial.write_bytes(contents)
    pixels, done = _map(folder / _PIXELS, shape), _map(folder / _DONE, shape[:1])
    return PixelFiles(folder, contents, pixels, done)


def _closed(cache: Path, error: OSError) -> DataError:
    return DataError(
        f"a folder '{cache}' that can be written to",
        error.strerror or type(error).__name__,
        "name another folder with --cache",
    )


def _hash_at(contents: bytes, row: int) -> bytes:
    return contents[row * _HASH_BYTES : (row + 1) * _HASH_BYTES]


def _holds(path: Path, content: bytes) -> bool:
    return _has_size(path, len(content)) and path.read_bytes() == content


def _has_size(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _map(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Map a file that has its whole room on disk: a full disk would kill the process later."""
    size = math.prod(shape)
    if not _has_size(path, size):
        try:
            with atomic_path(path) as partial, partial.open("wb") as file:
                _reserve(file.fileno(), size, path.parent)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            raise DataError(
                f"{math.ceil(size / 2**20)} MiB free for '{path.parent}'",
                f"{shutil.disk_usage(path.parent).free // 2**20} MiB",
                "free some room or name another folder with --cache",
            ) from None
    return np.memmap(path, np.uint8, "r+", shape=shape)


def _reserve(descriptor: int, size: int, folder: Path) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "no room")
    else:
        os.ftruncate(descriptor, size)
