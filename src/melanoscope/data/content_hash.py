"""Files told apart by what is in them.

Name, size and time of a file do not tell its content: two archives both hold DSC_0000.jpg, bitmaps
of one shape all have one size, and rsync, cp -p and git set times back. XXH3 hashes 128 bits faster
than memory is read, so that the file's content costs a few percent of decoding it
(docs/results/content_hash.md).
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import xxhash

from melanoscope.imaging.content import MAX_PIXELS
from melanoscope.imaging.memory_limits import max_file_bytes
from melanoscope.threads import thread_pool

_BLOCK = 2**20
_MAX_BYTES = max_file_bytes(MAX_PIXELS)
# A thread takes so many files at once: handing over single ones costs as much as hashing them.
_CHUNK = 64


def content_hash(content: bytes) -> str:
    """Return the XXH3 of `content`, 128 bits as 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(content)


def file_hash(path: Path | str | None, max_bytes: float = math.inf) -> str | None:
    """Return `content_hash` of a file, or None where none can be read, or it is empty or longer."""
    if path is None:
        return None
    digest = xxhash.xxh3_128()
    size = 0
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
        # A pipe would be waited for, and a sparse file has any length.
        if not stat.S_ISREG(found.st_mode) or found.st_size > max_bytes:
            return None
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - half the time of Path.open
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except (OSError, ValueError):  # ValueError: a name with a zero in it
        return None
    return digest.hexdigest() if size else None


def content_hashes(
    paths: Sequence[Path | str | None],
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[str | None]:
    """Hash the content of many files, none of them longer than a photograph may be.

    Args:
        paths: Files; None stands for a photograph without one.
        workers: Threads that read; the hash and the disk wait without Python's lock. Default: one
            per core.
        progress: Called with the number of files read and their total.

    Returns:
        The hash of each file; None where it is absent, empty, too long or cannot be read.

    >>> content_hashes([None, "no such file"])
    [None, None]
    """
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    hashes: list[str | None] = []
    with thread_pool(workers) as pool:
        for found in pool.map(
            lambda chunk: [file_hash(path, _MAX_BYTES) for path in chunk], chunks
        ):
            hashes += found
            if progress is not None:
                progress(len(hashes), len(paths))
    return hashes
