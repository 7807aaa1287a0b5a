"""One process at a time: a lock that dies with its process, and says whom one waits for."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import one_line

LOGGER = logging.getLogger(__name__)
_SECONDS_OF_SILENCE = 3.0


class HeldElsewhereError(Exception):
    """Another process holds the lock; `holder` says which, in words."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(holder)


@contextmanager
def lock_file(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock; the system opens it when this process ends, however that happens.

    Args:
        path: File to lock, in a folder that is there. It stays there; beside it lies `.holder`, the
            number of the process that has the lock.
        wait: Whether to wait for another process that has it. After some seconds of waiting a
            warning is logged that names it, since it may have been stopped.

    Yields:
        Nothing.

    Raises:
        HeldElsewhereError: Another process has it, and `wait` is false.
        OSError: The file cannot be made.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / ".lock"
    >>> with lock_file(path, wait=False):
    ...     with lock_file(path, wait=False):
    ...         pass
    Traceback (most recent call last):
    melanoscope.locks.HeldElsewhereError: process ...
    """
    import filelock

    lock = filelock.FileLock(path, is_singleton=False)
    try:
        lock.acquire(timeout=_SECONDS_OF_SILENCE if wait else 0)
    except filelock.Timeout:
        holder = _holder(path)
        if not wait:
            raise HeldElsewhereError(holder) from None
        LOGGER.warning("melanoscope: waiting for %s, which holds %s", holder, _named(path))
        lock.acquire()
    except NotImplementedError:
        LOGGER.warning("melanoscope: %s cannot be locked: keep others away", _named(path))
    try:
        with contextlib.suppress(OSError):  # a full disk takes no note, and needs none
            _note(path).write_text(str(os.getpid()))
        yield
    finally:
        with contextlib.suppress(OSError):
            _note(path).unlink()
        lock.release()


def lock_files(path: Path) -> tuple[Path, Path]:
    """Return the files that `lock_file` makes at and beside `path`."""
    return path, _note(path)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _named(path: Path) -> str:
    return one_line(f"'{path}'")


def _holder(path: Path) -> str:
    try:
        return f"process {int(_note(path).read_text())}"
    except (OSError, ValueError):
        return "another process"
