"""Images decoded once to a fixed size, kept on disk and mapped into memory.

A store is a folder named after the ids, the size and the decoder's version. `pixels.u8` holds the
images, `signatures.i64` the size and time of each file that was decoded. Signatures are
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
from melanoscope.hardware import available_cores
from melanoscope.imaging.decode import DECODER_VERSION, read_image
from melanoscope.imaging.open_image import UnreadableImageError

ProgressCallback = Callable[[int, int], None]
"""Function that is called with the number of images done and their total."""

_PIXELS, _SIGNATURES = "pixels.u8", "signatures.i64"
_CHUNK = 256


@dataclass(frozen=True)
class PixelStore:
    """The decoded images of one catalog at one size.

    Attributes:
        pixels: RGB images, shape (n, image_size, image_size, 3), uint8, mapped read-only from disk.
        row_of: Row in `pixels` of each readable image, by image id.
        unreadable: Why an image could not be decoded, by image id.
        n_decoded: How many images were decoded on opening rather than found in the store.
    """

    pixels: NDArray[np.uint8]
    row_of: dict[str, int]
    unreadable: dict[str, str]
    n_decoded: int

    @property
    def image_size(self) -> int:
        """Side of the square images in pixels."""
        return int(self.pixels.shape[1])

    def rows(self, image_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each of `image_ids` in `pixels`, shape (n,)."""
        return np.array([self.row_of[name] for name in image_ids], np.int64)

    def images(self, image_ids: Sequence[str]) -> NDArray[np.uint8]:
        """Return the images of `image_ids`, shape (n, image_size, image_size, 3)."""
        rows = self.rows(image_ids)
        # All of them come as the mapped file: a copy of a whole archive may not fit in memory.
        is_whole = np.array_equal(rows, np.arange(len(self.pixels)))
        return self.pixels if is_whole else self.pixels[rows]


def open_pixel_store(
    catalog: Catalog,
    image_size: int,
    cache: Path,
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> PixelStore:
    """Open the store of a catalog's images, and decode those that it lacks.

    Args:
        catalog: Photographs to decode; those without a file are passed over.
        image_size: Side of the decoded squares in pixels.
        cache: Folder that holds all stores.
        workers: Threads that decode; Pillow decodes and resizes without Python's lock. Default:
            one per core.
        progress: Called after each chunk of decoded images.

    Returns:
        The store, in which every file that can be decoded has its pixels.

    Raises:
        DataError: No photograph has a file, the disk is full, or the cache cannot be written to.
    """
    frame = catalog.with_files.frame
    ids, paths = frame["image_id"].to_list(), [Path(p) for p in frame["path"]]
    if not ids:
        raise DataError("photographs on disk", "none of the listed files", "check the folders")
    folder = cache / "pixels" / _store_name(ids, image_size)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pixels, signatures = _map_store(folder, (len(ids), image_size, image_size, 3))
    except OSError as error:
        raise DataError(
            f"a folder '{cache}' that can be written to",
            error.strerror or type(error).__name__,
            "name another folder with --cache",
        ) from None

    reasons, n_stale = _decode_stale(paths, pixels, signatures, workers, progress)
    return PixelStore(
        pixels=np.memmap(folder / _PIXELS, np.uint8, "r", shape=pixels.shape),
        row_of={name: row for row, name in enumerate(ids) if row not in reasons},
        unreadable={ids[row]: reason for row, reason in reasons.items()},
        n_decoded=n_stale - len(reasons),
    )


def _decode_stale(
    paths: Sequence[Path],
    pixels: np.memmap[Any, Any],
    signatures: np.memmap[Any, Any],
    workers: int | None,
    progress: ProgressCallback | None,
) -> tuple[dict[int, str], int]:
    """Decode each file whose signature changed; return why rows failed, and how many were stale."""
    current = np.array([_signature(path) for path in paths], np.int64)
    # An empty or absent file is asked for its reason each time, even if it bears the date 1970.
    stale = np.flatnonzero((signatures != current).any(axis=1) | (current[:, 0] <= 0))
    signatures[stale] = 0
    signatures.flush()
    unreadable: dict[int, str] = {}
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        for start in range(0, len(stale), _CHUNK):
            chunk = stale[start : start + _CHUNK]
            reasons = list(pool.map(lambda row: _decode(paths[row], pixels, row), chunk))
            decoded = np.array([reason is None for reason in reasons])
            pixels.flush()
            signatures[chunk[decoded]] = current[chunk[decoded]]
            signatures.flush()
            unreadable |= {int(row): why for row, why in zip(chunk, reasons, strict=True) if why}
            if progress is not None:
                progress(start + len(chunk), len(stale))
    return unreadable, len(stale)


def _decode(path: Path, pixels: NDArray[np.uint8], row: int) -> str | None:
    """Decode a file into a row of `pixels`, or return why it cannot be decoded."""
    try:
        pixels[row] = read_image(path, pixels.shape[1])
    except UnreadableImageError as error:
        return error.reason
    return None


def _signature(path: Path) -> tuple[int, int]:
    """Return a file's size and time of change, by which a changed file is noticed."""
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)  # gone since the catalog was read; the decoder says so
    return (status.st_size, status.st_mtime_ns)


def _store_name(ids: Sequence[str], image_size: int) -> str:
    digest = hashlib.sha256(f"{DECODER_VERSION}\0{image_size}\0".encode())
    digest.update("\0".join(ids).encode())
    return f"{image_size}px-{digest.hexdigest()[:16]}"


def _map_store(
    folder: Path, shape: tuple[int, ...]
) -> tuple[np.memmap[Any, Any], np.memmap[Any, Any]]:
    """Map both files. Signatures of pixels that were lost would pass black squares as decoded."""
    pixels, signatures = folder / _PIXELS, folder / _SIGNATURES
    if not _has_size(pixels, int(np.prod(shape))):
        signatures.unlink(missing_ok=True)
    return _map(pixels, shape, np.uint8), _map(signatures, (shape[0], 2), np.int64)


def _has_size(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _map(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap[Any, Any]:
    """Map a file that has its whole room on disk: a full disk would kill the process later."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
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
    return np.memmap(path, dtype, "r+", shape=shape)


def _reserve(descriptor: int, size: int, folder: Path) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "no room")
    else:
        os.ftruncate(descriptor, size)
