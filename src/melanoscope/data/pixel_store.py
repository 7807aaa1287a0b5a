"""Each photograph decoded once to a fixed size, kept on disk, mapped into memory.

A store is a folder named after the ids, the size and the decoder's version. `pixels.u8` holds the
photographs, `signatures.i64` the size and time of each file that was decoded. Signatures are
written after the pixels, so that what a kill interrupts is decoded again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.atomic import DISK_FULL, atomic_path
from melanoscope.data.catalog import Catalog
from melanoscope.errors import DataError
from melanoscope.imaging.decode import DECODER_VERSION, UnreadableImageError, read_image

Progress = Callable[[int, int], None]
"""Called with the photographs done and their total."""

_CHUNK = 256


@dataclass(frozen=True)
class PixelStore:
    """Photographs of one catalog at one size.

    Attributes:
        pixels: Shape (n, px, px, 3), uint8, mapped read-only from disk.
        position: Row of each readable photograph.
        unreadable: Why each photograph that could not be decoded could not.
        decoded: How many were decoded now rather than found in the store.
    """

    pixels: NDArray[np.uint8]
    position: dict[str, int]
    unreadable: dict[str, str]
    decoded: int

    @property
    def px(self) -> int:
        """Side of the photographs in pixels."""
        return int(self.pixels.shape[1])

    def rows(self, image_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of photographs in `pixels`, shape (n,)."""
        return np.array([self.position[name] for name in image_ids], np.int64)

    def photographs(self, image_ids: Sequence[str]) -> NDArray[np.uint8]:
        """Return photographs in the order asked for, shape (n, px, px, 3).

        All of them in the store's own order are the mapped file itself: a copy of a whole archive
        may not fit in memory.
        """
        rows = self.rows(image_ids)
        whole = np.array_equal(rows, np.arange(len(self.pixels)))
        return self.pixels if whole else self.pixels[rows]


def open_pixel_store(
    catalog: Catalog,
    px: int,
    cache: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PixelStore:
    """Open the store of a catalog's present photographs and decode what it lacks.

    Args:
        catalog: Photographs; those without a file are passed over.
        px: Side of the decoded squares, in pixels.
        cache: Folder that holds stores.
        workers: Threads; Pillow decodes and resizes without Python's lock. Default: all cores.
        progress: Told after each chunk.

    Raises:
        DataError: No photograph has a file, the disk is full, or the cache cannot be written to.
    """
    present = catalog.present.frame
    ids, paths = present["image_id"].to_list(), [Path(p) for p in present["path"]]
    if not ids:
        raise DataError("photographs on disk", "none of the listed files", "check the folders")
    folder = cache / "pixels" / _name(ids, px)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pixels, signatures = _open_files(folder, len(ids), px)
    except OSError as error:
        raise DataError(
            f"a folder '{cache}' that can be written to",
            error.strerror or type(error).__name__,
            "name another folder with --cache",
        ) from None

    current = np.array([_signature(path) for path in paths], np.int64)
    # An empty or absent file is asked for its reason each time, even if it bears the date 1970.
    stale = np.flatnonzero((signatures != current).any(axis=1) | (current[:, 0] <= 0))
    signatures[stale] = 0
    signatures.flush()
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for start in range(0, len(stale), _CHUNK):
            chunk = stale[start : start + _CHUNK]
            reasons = list(pool.map(lambda row: _decode(paths[row], px, pixels, row), chunk))
            good = np.array([reason is None for reason in reasons])
            pixels.flush()
            signatures[chunk[good]] = current[chunk[good]]
            signatures.flush()
            unreadable |= {ids[r]: why for r, why in zip(chunk, reasons, strict=True) if why}
            if progress is not None:
                progress(start + len(chunk), len(stale))
    position = {name: row for row, name in enumerate(ids) if name not in unreadable}
    readable = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(len(ids), px, px, 3))
    return PixelStore(readable, position, unreadable, len(stale) - len(unreadable))


def _decode(path: Path, px: int, pixels: NDArray[np.uint8], row: int) -> str | None:
    try:
        pixels[row] = read_image(path, px)
    except UnreadableImageError as error:
        return error.reason
    return None


def _signature(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)  # gone since the catalog was read; the decoder says so
    return (found.st_size, found.st_mtime_ns)


def _name(ids: Sequence[str], px: int) -> str:
    digest = hashlib.sha256(f"{DECODER_VERSION}\0{px}\0".encode())
    digest.update("\0".join(ids).encode())
    return f"{px}px-{digest.hexdigest()[:16]}"


def _open_files(
    folder: Path, count: int, px: int
) -> tuple[np.memmap[Any, Any], np.memmap[Any, Any]]:
    """Map both files. Signatures of pixels that were lost would pass black squares as decoded."""
    path, shape = folder / "pixels.u8", (count, px, px, 3)
    if not _has_size(path, int(np.prod(shape))):
        (folder / "signatures.i64").unlink(missing_ok=True)
    return _map(path, shape, np.uint8), _map(folder / "signatures.i64", (count, 2), np.int64)


def _has_size(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _map(path: Path, shape: tuple[int, ...], kind: type[np.generic]) -> np.memmap[Any, Any]:
    """Map a file that has its whole room on disk: a full disk would kill the process later."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    if not _has_size(path, size):
        try:
            with atomic_path(path) as partial, partial.open("wb") as file:
                _reserve(file.fileno(), size, path.parent)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            raise DataError(
                f"{size / 2**20:.0f} MiB free for '{path.parent}'",
                f"{shutil.disk_usage(path.parent).free / 2**20:.0f} MiB",
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
