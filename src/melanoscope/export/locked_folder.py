"""A folder that appears under its name when all is in it, made by one process at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import BundleError

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where a folder cannot be locked
    fcntl = None  # type: ignore[assignment]


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder its name when the block has ended without an error.

    Args:
        out: Folder to make; nothing, or an empty folder, is there.

    Yields:
        An empty folder beside it to write to. What a killed process left there is removed first.

    Raises:
        BundleError: Another process writes to it.
        OSError: It cannot be made or renamed.
    """
    folder = out.with_name(f".{out.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, out):
        try:
            _empty(folder)
            yield folder
            if os.name == "nt" and out.exists():  # elsewhere an empty folder is replaced
                out.rmdir()
            folder.replace(out)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _locked(folder: Path, out: Path) -> Iterator[None]:
    """Hold a folder itself: the lock ends with the process, and goes with the folder's new name."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between its making and its locking another process may have renamed it.
            is_same = os.path.samestat(os.fstat(handle), folder.stat())
        except (BlockingIOError, FileNotFoundError):
            is_same = False
        if not is_same:
            raise BundleError(
                f"'{out}' for this process alone",
                "another that writes it now",
                "wait for that, or name another folder with --out",
            )
        yield
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
