"""What the machine refuses, in one line: room, permission, open files, memory, a disk that is gone.

Libraries say it in their own ways: Polars and safetensors as errors of theirs with the system's
number in the text, PyTorch and ONNX Runtime as a RuntimeError. Here all of them become one.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from melanoscope.errors import MelanoscopeError, RunError

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers of a disk, or of a user's part of it, without room."""

_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_OPEN_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_GONE = frozenset(
    getattr(errno, name)
    for name in ("EIO", "ESTALE", "ENOTCONN", "ETIMEDOUT", "ENODEV", "ENXIO", "EREMOTEIO")
    if hasattr(errno, name)
)
_OF_THE_MACHINE = DISK_FULL | _OPEN_FILES | _GONE | {errno.ENOMEM}
# "(os error 28)": Rust; "SystemError : 28": ONNX Runtime; "[Errno 28]": Python, quoted by others.
_NUMBER = re.compile(r"\(os error (\d+)\)|SystemError : (\d+)|\[Errno (\d+)\]")
_NO_MEMORY = re.compile(
    r"DefaultCPUAllocator|out of memory|std::bad_alloc|can't allocate|cannot allocate|"
    r"unable to allocate|failed to allocate|can't start new thread|could not create a primitive",
    re.IGNORECASE,
)
AGAIN = "start the same command again"


def as_os_error(error: Exception, path: Path | None) -> OSError | None:
    """Return an error of the system as an OSError with its number and a file, whoever raised it.

    Args:
        error: What a library raised while it wrote or read a file.
        path: The file, for an error that names none; None if it is not known.

    Returns:
        The error itself if it is complete; None if it says nothing of the system.

    >>> as_os_error(ValueError("I/O error: No space left on device (os error 28)"), Path("a"))
    OSError(28, 'No space left on device')
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        found = _NUMBER.search(str(error))
        if found is None:
            return None
        number = int(next(filter(None, found.groups())))
    elif isinstance(error, OSError) and (error.filename is not None or path is None):
        return error
    return OSError(number, os.strerror(number), *([] if path is None else [str(path)]))


def is_of_the_machine(error: Exception) -> bool:
    """Say whether an error tells nothing of its file: any other would fail as well.

    >>> is_of_the_machine(OSError(errno.EMFILE, "")), is_of_the_machine(FileNotFoundError())
    (True, False)
    """
    return isinstance(error, OSError) and error.errno in _OF_THE_MACHINE


@contextmanager
def explain_machine_faults(folder: Path) -> Iterator[None]:
    """Turn what the machine refuses while the block writes into one line; all else passes.

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
        fault = machine_fault(error, folder)
        if fault is None:
            raise
        raise fault from error


def raise_machine_fault(error: Exception, folder: Path | None = None) -> None:
    """Raise an error that is the machine's as such, before it is taken for a file's."""
    if is_of_the_machine(error) and (fault := machine_fault(error, folder)):
        raise fault from None


def raise_wrapped_machine_fault(error: Exception, folder: Path) -> None:
    """Raise the machine's fault that an error is, or was raised from: exporters wrap errors."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        if isinstance(one, Exception) and (fault := machine_fault(one, folder)):
            raise fault from None
        seen.append(one)
        one = one.__cause__ or one.__context__


def machine_fault(error: Exception, folder: Path | None = None) -> MelanoscopeError | None:
    """Say in one line what the machine refused.

    Args:
        error: What was raised, by whichever library.
        folder: Folder that was written to; None for that of the file that the error names, as is
            that of a file elsewhere.

    Returns:
        The line as an error, or None for what is no fault of the machine.

    >>> print(machine_fault(OSError(errno.ENOSPC, "no room"), Path("runs")))
    expected room on the disk of 'runs'; found a full disk; free some, and start the same command \
again
    """
    if isinstance(error, MelanoscopeError):
        return None
    system = as_os_error(error, folder)
    if _lacks_memory(error, system):
        return RunError(
            "memory for what is asked",
            "too little",
            f"lower --batch-size or --size, end other programs or raise the limit, then {AGAIN}",
        )
    if system is None or system.errno is None:
        return None
    words = system.strerror or os.strerror(system.errno)
    if system.filename is None:
        return _of_number(system.errno, "in use", words)
    file = Path(os.fsdecode(system.filename))
    within = folder is not None and (file == folder or folder in file.parents)
    place = f"'{folder if within else file.parent}'"
    return _of_number(system.errno, place, f"{words} ('{file}')")


def _lacks_memory(error: Exception, system: OSError | None) -> bool:
    if system is not None and system.errno == errno.ENOMEM:
        return True
    if isinstance(error, MemoryError):
        return True
    return not isinstance(error, OSError) and bool(_NO_MEMORY.search(str(error)))


def _of_number(number: int, folder: str, found: str) -> MelanoscopeError | None:
    if number in DISK_FULL:
        what = "a full disk" if number == errno.ENOSPC else "a full disk (of its quota)"
        return RunError(f"room on the disk of {folder}", what, f"free some, and {AGAIN}")
    if number in _CLOSED:
        return RunError(
            f"a folder {folder} that can be read and written to",
            found,
            "give permission or name another folder",
        )
    if number in _OPEN_FILES:
        return RunError(
            "files that can be opened",
            found,
            f"raise the limit (ulimit -n) or end other programs, and {AGAIN}",
        )
    if number in _GONE:
        return RunError(
            f"a disk that answers at {folder}",
            found,
            f"connect or mount it again, or take a damaged file away, and {AGAIN}",
        )
    if number == errno.ENAMETOOLONG:
        return RunError("a shorter path", found, "name a folder with a shorter name")
    if number == errno.EFBIG:
        return RunError(
            f"files of any size in {folder}", found, f"raise the limit (ulimit -f), and {AGAIN}"
        )
    return None
