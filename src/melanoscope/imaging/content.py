"""Reads the file of a photograph, no more of it than a photograph may have."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NoReturn

from melanoscope import file_kinds
from melanoscope.imaging.file_type import HEAD, detect_file_type
from melanoscope.imaging.memory_limits import max_file_bytes
from melanoscope.imaging.unreadable import UnreadableImageError, unreadable_photographs

Source = Path | str | bytes
"""A file's path, or its content."""

# Pillow's own limit before it warns of a decompression bomb; larger files are refused.
MAX_PIXELS = 89_478_485
_GROWN = 2**20  # bytes read at a time of what a file has grown by


def read_content(path: Path) -> bytes:
    """Read the file of a photograph that is to be decoded, unless it is longer than any may be.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        UnreadableImageError: It is absent, empty, closed, too long or no image by its first bytes.
    """
    with unreadable_photographs(path):
        detect_kind(path)
        return read_bounded(path, MAX_PIXELS)


def detect_kind(source: Path | bytes) -> str:
    """Name the format of a file by its first bytes, or refuse what is none of an image."""
    path = source if isinstance(source, Path) else None
    if isinstance(source, Path):
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
            raise UnreadableImageError(path, what)
        with source.open("rb", buffering=0) as file:
            head = file.read(max(HEAD, file_kinds.HEAD))
    else:
        head = source[: max(HEAD, file_kinds.HEAD)]
    if not head:
        raise UnreadableImageError(path, "an empty file")
    kind = detect_file_type(head)
    if kind == "video":
        raise UnreadableImageError(path, "a video", "take one sharp photograph instead")
    if kind is None:
        _refuse_other_kind(path, head)
    return str(kind)


def _refuse_other_kind(path: Path | None, head: bytes) -> NoReturn:
    kind = file_kinds.detect_file_kind(head)
    reason = "no image of these formats" + (f": {kind}" if kind else "")
    mend = kind.mend("") if kind else ""
    raise UnreadableImageError(path, reason, **({"mend": mend} if mend else {}))


def refuse_long(source: Path | bytes, max_pixels: int) -> None:
    """Refuse a file longer than any photograph: a sparse one has any length in no room."""
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    most = max_file_bytes(max_pixels)
    if size > most:
        path = source if isinstance(source, Path) else None
        raise UnreadableImageError(path, f"a file of {size:,} bytes (over {most:,})")


def read_bounded(path: Path, max_pixels: int) -> bytes:
    """Read a file, or refuse it where it is longer than `max_pixels` allow."""
    # A file may grow between a look at its length and the end of reading.
    most = max_file_bytes(max_pixels)
    refuse_long(path, max_pixels)
    with path.open("rb", buffering=0) as file:
        content = file.read(path.stat().st_size + 1)
        while more := file.read(_GROWN):
            content += more
            if len(content) > most:
                break
    refuse_long(content, max_pixels)
    return content
