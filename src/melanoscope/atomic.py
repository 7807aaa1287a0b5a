"""Files that are either whole or not there, and one line where the machine refuses to write."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import RunError
from melanoscope.machine_faults import as_os_error, refusal

_PARTIAL = ".partial"
# safetensors writes under such a name first; a kill leaves it there.
_TEMPORARY = ".tmp??????"


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
        OSError: The file cannot be written or renamed, whichever library found that out; it names
            the file.

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
    except BaseException as error:
        # What could not be written often cannot be removed either, for the same reason.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        system = as_os_error(error, path) if isinstance(error, Exception) else None
        if system is None:
            raise
        if system.filename == str(partial):
            system.filename = str(path)
        if system is error:
            raise
        raise system from error


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left of `atomic_path` in a `folder` that this process has alone.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / ".numbers.csv.7.partial").write_text("a,")
    >>> remove_partials(folder)
    >>> list(folder.iterdir())
    []
    """
    for left in (*folder.glob(f".*{_PARTIAL}"), *folder.glob(_TEMPORARY)):
        with contextlib.suppress(OSError):
            left.unlink()


def refuse_bytes_as_name(path: Path, option: str) -> None:
    r"""Raise a RunError where a name is no UTF-8: libraries and tables could not name it.

    Args:
        path: File or folder that is to be written.
        option: Option that names it.

    Raises:
        RunError: The name holds bytes that are no text.

    >>> refuse_bytes_as_name(Path("a\udcff"), "--out")
    Traceback (most recent call last):
    melanoscope.errors.RunError: expected a folder with a name in UTF-8; found a\udcff; choose ...
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        expected = "a folder with a name in UTF-8"
        raise RunError(expected, str(path), f"choose another {option}") from None


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def refuse_full_disk(folder: Path) -> Iterator[None]:
    """Turn the error of a disk without room, or of a folder that is closed, into one line.

    Args:
        folder: Folder that the block writes to; named in the line.

    Yields:
        Nothing.

    Raises:
        RunError: The machine refused to write, or lacks the memory for what is written.
    """
    try:
        yield
    except Exception as error:
        refused = refusal(error, folder)
        if refused is None:
            raise
        raise refused from error
