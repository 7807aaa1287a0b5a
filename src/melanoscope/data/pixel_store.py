"""Images decoded once to a fixed size, kept on disk and mapped into memory.

A store belongs to contents: its folder is named after the size, the decoder's version and the hash
of every file, in the catalog's order, and nothing in it depends on a folder, a name or a time. So
the same photographs elsewhere find their pixels again, and other photographs of the same names
never do. Where a few files changed, the new store takes over from the others in the cache what it
shares with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoscope.data.catalog import Catalog
from melanoscope.data.content_hash import content_hash, content_hashes
from melanoscope.data.pixel_files import PixelFiles, open_pixel_files
from melanoscope.errors import DataError
from melanoscope.imaging.content import read_content
from melanoscope.imaging.decode import decode_image, why_unreadable
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.threads import thread_pool

ProgressCallback = Callable[[int, int], None]
"""Function that is called with the number of images done and their total."""

_CHUNK = 256
# How often files may change while they are read before that is said.
_ATTEMPTS = 3
_CHANGED = "changed while it was read"
_ABSENT = "no file"  # as `why_unreadable` says it


@dataclass(frozen=True)
class PixelStore:
    """The decoded images of one catalog at one size.

    Attributes:
        pixels: RGB images, shape (n, image_size, image_size, 3), uint8, mapped read-only from disk.
        row_of: Row in `pixels` of each readable image, by image id.
        unreadable: Why an image could not be decoded, by image id.
        contents: Hash of the file that each readable image was decoded from, by image id.
        n_decoded: How many images were decoded on opening rather than found in a store.
    """

    pixels: NDArray[np.uint8]
    row_of: dict[str, int]
    unreadable: dict[str, str]
    contents: dict[str, str]
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
        return self.pixels[self.rows(image_ids)]


def open_pixel_store(
    catalog: Catalog,
    image_size: int,
    cache: Path,
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    contents: Mapping[str, str] | None = None,
) -> PixelStore:
    """Open the store of a catalog's images, and decode those that no store holds.

    Args:
        catalog: Photographs to decode; those without a file are passed over.
        image_size: Side of the decoded squares in pixels.
        cache: Folder that holds all stores.
        workers: Threads that hash and decode; Pillow decodes and resizes without Python's lock.
            Default: one per core.
        progress: Called after each chunk of decoded images.
        contents: Content hash of each file by image id, as another store of the same photographs
            found it; a file that has changed since is noticed where it is decoded. Default: all
            files are hashed.

    Returns:
        The store, in which every file that can be decoded has its pixels.

    Raises:
        DataError: No photograph has a file, the disk is full, the cache cannot be written to, files
            go on changing while they are read, or a whole folder of them is gone.
    """
    frame = catalog.with_files.frame
    ids, paths = frame["image_id"].to_list(), [Path(p) for p in frame["path"]]
    if not ids:
        raise DataError("photographs on disk", "none of the listed files", "check the folders")
    hashes: list[str | None] = (
        content_hashes(paths, workers) if contents is None else [contents[name] for name in ids]
    )
    n_decoded = 0
    for _ in range(_ATTEMPTS):
        with open_pixel_files(cache, hashes, image_size) as files:
            files.take_over()
            reasons, n = _decode_missing(files, paths, hashes, workers, progress)
            pixels = files.read_only()
        n_decoded += n
        _refuse_lost_folders([paths[row] for row, why in reasons.items() if why == _ABSENT])
        changed = [row for row, reason in reasons.items() if reason == _CHANGED]
        if not changed:
            readable = [row for row in range(len(ids)) if row not in reasons]
            return PixelStore(
                pixels=pixels,
                row_of={ids[row]: row for row in readable},
                unreadable={ids[row]: reason for row, reason in reasons.items()},
                contents={ids[row]: hashes[row] or "" for row in readable},
                n_decoded=n_decoded,
            )
        found = content_hashes([paths[row] for row in changed], workers)
        for row, content in zip(changed, found, strict=True):
            hashes[row] = content
    raise DataError(
        "photographs that stay as they are while they are read",
        f"{len(changed)} that change ('{paths[changed[0]]}')",
        "wait until they are copied",
    )


def _refuse_lost_folders(absent: Sequence[Path]) -> None:
    """Raise a DataError if photographs that were listed a moment ago are gone with their folder.

    A single file that went is named among the unreadable; without a disk that was disconnected the
    run would be another one, of fewer archives.
    """
    for folder in dict.fromkeys(path.parent for path in absent):
        if not folder.is_dir() or not any(folder.iterdir()):
            raise DataError(
                f"the photographs of '{folder}', as when they were listed",
                "none any more",
                "connect or mount its disk again, and start the same command again",
            )


def _decode_missing(
    files: PixelFiles,
    paths: Sequence[Path],
    hashes: Sequence[str | None],
    workers: int | None,
    progress: ProgressCallback | None,
) -> tuple[dict[int, str], int]:
    """Decode each row that is not done; return why rows failed, and how many were decoded."""
    missing = np.flatnonzero(~files.done)
    reasons: dict[int, str] = {}
    with thread_pool(workers) as pool:
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            found = list(
                pool.map(lambda row: _decode(paths[row], hashes[row], files.pixels, row), chunk)
            )
            files.mark_done(chunk[[reason is None for reason in found]])
            reasons |= {int(row): why for row, why in zip(chunk, found, strict=True) if why}
            if progress is not None:
                progress(start + len(chunk), len(missing))
    return reasons, len(missing) - len(reasons)


def _decode(path: Path, expected: str | None, pixels: NDArray[np.uint8], row: int) -> str | None:
    """Decode a file into a row of `pixels`, or return why it cannot be decoded."""
    if expected is None:
        # Absent, empty or closed when it was to be hashed: asked for its reason each time.
        return why_unreadable(path) or _CHANGED
    try:
        content = read_content(path)
    except UnreadableImageError as error:
        return error.reason
    # What is decoded are the bytes that were hashed, not what lies there a moment later.
    if content_hash(content) != expected:
        return _CHANGED
    try:
        pixels[row] = decode_image(content, pixels.shape[1]).pixels
    except UnreadableImageError as error:
        return error.reason
    return None
