"""Files and folders that are either whole or not there."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import RunError
from melanoscope.locks import lock_file
from melanoscope.machine_faults import as_os_error

_PARTIAL = ".partial"
# safetensors writes under such a name first; a kill leaves it there.
_TEMPORARY = ".tmp??????"
_LOCK = ".writing.lock"


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


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files that belong together; one process at a time does so in a folder.

    Each gets its name only when all are written, so that an error leaves the old ones.

    Args:
        folder: Where they go; it is made where it is missing. It may hold other files.
        contents: Name of each file -> its content. What killed processes left of it is removed.

    Raises:
        OSError: The folder cannot be made, or a file cannot be written or renamed.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp()) / "audit"
    >>> write_together(folder, {"audit.json": b"{}", "index.html": b"<p>"})
    >>> sorted(path.name for path in folder.iterdir())
    ['audit.json', 'index.html']
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        lock_file(folder / _LOCK, wait=True, remove=True),
        contextlib.ExitStack() as all_written,
    ):
        for name, content in contents.items():
            remove_partials_of(folder / name)
            all_written.enter_context(atomic_path(folder / name)).write_bytes(content)


@contextmanager
def atomic_folder(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder its name when all is in it; one process at a time makes it.

    Args:
        out: Folder to make.
        replace: Whether it takes the place of a folder that is there, also of one that another
            process makes now, for which it waits. Else none is there but an empty one.

    Yields:
        An empty folder beside it to write to. What a killed process left there is removed first.

    Raises:
        LockedError: Another process makes it now, and `replace` is false.
        OSError: It cannot be made or renamed.

    >>> from tempfile import mkdtemp
    >>> out = Path(mkdtemp()) / "tables"
    >>> with atomic_folder(out) as folder:
    ...     _ = (folder / "numbers.csv").write_text("a,b")
    ...     out.exists()
    False
    >>> [file.name for file in out.iterdir()]
    ['numbers.csv']
    """
    partial = out.with_name(f".{out.name}{_PARTIAL}")
    old = out.with_name(f".{out.name}.old{_PARTIAL}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(out.with_name(f".{out.name}.lock"), wait=replace, place=out, remove=True):
        if old.exists() and not out.exists():  # killed between the two renames
            old.rename(out)
        for left in (partial, old):
            _remove_folder(left)
        try:
            partial.mkdir()
            yield partial
            if out.exists() and replace:
                out.rename(old)
            elif out.exists() and os.name == "nt":  # elsewhere an empty folder is replaced
                out.rmdir()
            partial.replace(out)
        except BaseException:
            if old.exists() and not out.exists():
                old.rename(out)
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _remove_folder(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left of `atomic_path` in a `folder` that this process has alone.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / ".numbers.csv.7.partial").write_text("a,")
    >>> remove_partials(folder)
    >>> list(folder.iterdir())
    []
    """
    for left in partials_in(folder):
        with contextlib.suppress(OSError):
            left.unlink()


def partials_in(folder: Path) -> list[Path]:
    """Return what looks like files that killed processes left half written in a `folder`."""
    return [*folder.glob(f".*{_PARTIAL}"), *folder.glob(_TEMPORARY)]


def remove_partials_of(path: Path) -> None:
    """Remove what killed processes left of `atomic_path` for a file that this process has alone.

    Its folder may be anybody's: other files' partial ones stay.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> for name in (".a.csv.7.partial", ".a.csv.partial", ".a.csv.b.7.partial"):
    ...     _ = (folder / name).write_text("a,")
    >>> remove_partials_of(folder / "a.csv")
    >>> sorted(path.name for path in folder.iterdir())
    ['.a.csv.b.7.partial', '.a.csv.partial']
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_PARTIAL}"):
        if left.name[len(path.name) + 2 : -len(_PARTIAL)].isdecimal():
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
