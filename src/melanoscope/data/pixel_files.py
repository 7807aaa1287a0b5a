"""The files of one pixel store: made whole, written under a lock, filled from other stores.

`contents.u8` holds the hash of every photograph's file, `pixels.u8` the images, `checksums.u8` a
hash of each image that is decoded. Pixels are compared with it whenever the store is opened: those
that a crash, a full disk or a failing one has spoiled are decoded again. A row that is done is
never written again, since its content cannot change.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from melanoscope.atomic import atomic_path, remove_partials
from melanoscope.errors import DataError, one_line
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.locks import lock_file
from melanoscope.machine_faults import DISK_FULL
from melanoscope.threads import thread_pool

LOGGER = logging.getLogger(__name__)
_PIXELS, _CONTENTS, _CHECKSUMS = "pixels.u8", "contents.u8", "checksums.u8"
_HASH_BYTES = 16
# Stands for a file that cannot be read, and whose row is never done.
_NONE = bytes(_HASH_BYTES)
_UNDECODED = 0  # instead of a checksum
_CHUNK = 256  # rows that a thread compares at once


@dataclass(frozen=True, eq=False)
class PixelFiles:
    """A store's files, open for writing while this process holds the store's lock.

    Attributes:
        folder: Folder of the store.
        contents: Hashes of all rows' files, 16 bytes each.
        pixels: RGB images, shape (n, image_size, image_size, 3), uint8.
        checksums: `_checksum` of each that is decoded, else 0, shape (n,), uint64.
    """

    folder: Path
    contents: bytes
    pixels: np.memmap[Any, Any]
    checksums: np.memmap[Any, Any]

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which images are decoded, shape (n,)."""
        return np.asarray(self.checksums != _UNDECODED)

    def read_only(self) -> NDArray[np.uint8]:
        """Map the images once more, so that nobody can write to them."""
        return np.memmap(self.folder / _PIXELS, np.uint8, "r", shape=self.pixels.shape)

    def mark_done(self, rows: NDArray[np.int64]) -> None:
        """Say that `rows` are decoded, once their pixels are on disk."""
        self.pixels.flush()
        for row in rows:
            self.checksums[row] = _checksum(self.pixels[row])
        self.checksums.flush()

    def forget_damaged(self) -> None:
        """Compare every image with its checksum; those that differ are no longer done."""
        rows = np.flatnonzero(self.done)
        chunks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
        with thread_pool() as pool:
            damaged = [row for found in pool.map(self._damaged, chunks) for row in found]
        if damaged:
            self.checksums[damaged] = _UNDECODED
            LOGGER.warning(
                "melanoscope: %d damaged images in %s are decoded again",
                len(damaged),
                one_line(f"'{self.folder}'"),
            )

    def _damaged(self, rows: NDArray[np.int64]) -> list[int]:
        return [int(row) for row in rows if _checksum(self.pixels[row]) != self.checksums[row]]

    def take_over(self) -> None:
        """Copy what other stores of the same size have decoded of the same contents."""
        lacking: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(~self.done):
            lacking.setdefault(_hash_at(self.contents, int(row)), []).append(int(row))
        lacking.pop(_NONE, None)
        kind = self.folder.name.rsplit("-", 1)[0]
        for other in sorted(self.folder.parent.glob(f"{kind}-*/{_CHECKSUMS}")):
            if not lacking:
                return
            if other.parent != self.folder:
                self._take_from(other.parent, lacking)

    def _take_from(self, folder: Path, lacking: dict[bytes, list[int]]) -> None:
        try:
            contents = (folder / _CONTENTS).read_bytes()
            checksums = np.fromfile(folder / _CHECKSUMS, np.uint64)
            shape = (len(checksums), *self.pixels.shape[1:])
            pixels = np.memmap(folder / _PIXELS, np.uint8, "r", shape=shape)
        except (OSError, ValueError):
            return  # being made, or damaged: its own next opening sees to it
        if len(contents) != len(checksums) * _HASH_BYTES:
            return
        taken: list[int] = []
        for row in np.flatnonzero(checksums != _UNDECODED):
            content = _hash_at(contents, int(row))
            if content in lacking and _checksum(pixels[row]) == checksums[row]:
                rows = lacking.pop(content)
                self.pixels[rows] = pixels[row]
                taken += rows
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
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock_file(folder / "lock", wait=True))
            remove_partials(folder)
            files = _open(folder, contents, image_size)
        except OSError as error:
            raise _closed(cache, error) from None
        files.forget_damaged()
        yield files


def _open(folder: Path, contents: bytes, image_size: int) -> PixelFiles:
    shape = (len(contents) // _HASH_BYTES, image_size, image_size, 3)
    whole = _has_size(folder / _PIXELS, math.prod(shape))
    if not whole or not _holds(folder / _CONTENTS, contents):
        (folder / _CHECKSUMS).unlink(missing_ok=True)
        with atomic_path(folder / _CONTENTS) as partial:
            partial.write_bytes(contents)
    pixels = _map(folder / _PIXELS, shape, np.uint8)
    return PixelFiles(folder, contents, pixels, _map(folder / _CHECKSUMS, shape[:1], np.uint64))


def _checksum(pixels: NDArray[np.uint8]) -> int:
    return xxhash.xxh3_64_intdigest(np.ascontiguousarray(pixels).data) or 1


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


def _map(
    path: Path, shape: tuple[int, ...], kind: type[np.uint8 | np.uint64]
) -> np.memmap[Any, Any]:
    """Map a file that has its whole room on disk: a full disk would kill the process later."""
    size = math.prod(shape) * np.dtype(kind).itemsize
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
    return np.memmap(path, kind, "r+", shape=shape)


def _reserve(descriptor: int, size: int, folder: Path) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "no room")
    else:
        os.ftruncate(descriptor, size)
