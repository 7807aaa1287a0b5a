"""Files that are either whole or not there, and a full disk said in one line."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import RunError

_PARTIAL = ".partial"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a disk, or of a user's part of it, without room."""


@contextmanager
def atomic_path(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Give a file its name only when it is whole.

    A reader sees the old file, or none, until the block has ended; an error or a kill in the block
    leaves it so.

    Args:
        path: File to write; one that is there already is replaced.
        sync: Whether what is written is forced onto the disk before it gets its name, so that a
            power cut leaves no empty file under it.

    Yields:
        A path in the same folder to write to. The process's number is part of it, so that two
        processes that write the same file do not disturb each other.

    Raises:
        OSError: The file cannot be written or renamed.

    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "numbers.csv"
    >>> with atomic_path(file) as partial:
    ...     _ = partial.write_text("a,b")
    ...     file.exists()
    False
    >>> file.read_text()
    'a,b'
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
    try:
        yield partial
        if sync:
            _to_disk(partial)
        os.replace(partial, path)  # noqa: PTH105 - atomic also where the target exists
    except BaseException:
        # What could not be written often cannot be removed either, for the same reason.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left of `atomic_path` in a `folder` that this process has alone.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / ".numbers.csv.7.partial").write_text("a,")
    >>> remove_partials(folder)
    >>> list(folder.iterdir())
    []
    """
    for left in folder.glob(f".*{_PARTIAL}"):
        with contextlib.suppress(OSError):
            left.unlink()


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def refuse_full_disk(folder: Path) -> Iterator[None]:
    """Turn the error of a full disk into one line.

    Args:
        folder: Folder that the block writes to; named in the line.

    Yields:
        Nothing.

    Raises:
        RunError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise RunError(f"room on the disk of '{folder}'", "a full disk", "free some") from None
