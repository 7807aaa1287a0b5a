"""One process at a time: a lock that dies with its process, and says whom one waits for."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import MelanoscopeError, one_line

LOGGER = logging.getLogger(__name__)
_SECONDS_OF_SILENCE = 3.0
# What file systems of networks answer that know no locks.
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP})


class LockedError(MelanoscopeError):
    """Another process writes what only one may write at a time."""


@contextmanager
def lock_file(
    path: Path, *, wait: bool, place: Path | None = None, remove: bool = False
) -> Iterator[None]:
    """Hold a lock; the system opens it when this process ends, however that happens.

    Args:
        path: File to lock, in a folder that is there. Beside it lies `.holder`, the number of the
            process that has the lock.
        wait: Whether to wait for another process that has it. After some seconds of waiting a
            warning is logged that names it, since it may have been stopped.
        place: What the lock is for, to be named in errors; None for the file itself.
        remove: Whether to remove the file at the end. Else it stays, and a killed process leaves it
            in any case; it holds nobody up.

    Yields:
        Nothing.

    Raises:
        LockedError: Another process has it, and `wait` is false.
        OSError: The file cannot be made.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / ".lock"
    >>> with lock_file(path, wait=False):
    ...     with lock_file(path, wait=False, place=Path("out")):
    ...         pass
    Traceback (most recent call last):
    melanoscope.locks.LockedError: expected nobody else writing 'out'; found process ...
    """
    import filelock

    lock = filelock.FileLock(path, is_singleton=False)
    try:
        lock.acquire(timeout=_SECONDS_OF_SILENCE if wait else 0)
    except filelock.Timeout:
        holder = _holder(path)
        if not wait:
            raise LockedError(
                f"nobody else writing '{place or path}'",
                holder,
                "wait for it or name another place with --out",
            ) from None
        LOGGER.warning("melanoscope: waiting for %s, which holds %s", holder, _named(path))
        lock.acquire()
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        LOGGER.warning("melanoscope: %s cannot be locked: keep others away", _named(path))
    try:
        with contextlib.suppress(OSError):  # a full disk takes no note, and needs none
            _note(path).write_text(str(os.getpid()))
        yield
    finally:
        try:
            # While it is held: whoever has it open already finds that it has no name any more.
            for file in (_note(path), path) if remove else (_note(path),):
                with contextlib.suppress(OSError):
                    file.unlink()
        finally:
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
