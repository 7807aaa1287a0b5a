"""What a file that should be a table is, by its first bytes: names and suffixes are no evidence.

A download that failed is often a page, a pointer or an archive under the table's name.
"""

from __future__ import annotations

import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, cast

from melanoscope.errors import DataError
from melanoscope.file_kinds import HEAD, FileKind, detect_file_kind

Content = Literal["text", "gzip", "workbook"]

_FETCH = "fetch the table itself"
_UNPACK = "unpack it and name the table in it"
_SAVE = "save the table as CSV"
_PACKED = {
    *(FileKind.TAR, FileKind.BZIP2, FileKind.XZ, FileKind.ZSTD, FileKind.SEVEN_ZIP, FileKind.RAR),
}
_MENDS = {
    **dict.fromkeys(_PACKED, _UNPACK),
    FileKind.PDF: _SAVE,
    FileKind.PARQUET: _SAVE,
    FileKind.HDF5: _SAVE,
    FileKind.SQLITE: _SAVE,
    FileKind.APPLE_DOUBLE: "name the file beside it",
    **dict.fromkeys(
        (FileKind.JPEG, FileKind.PNG, FileKind.TIFF, FileKind.DICOM),
        "name the table, not a photograph",
    ),
}


def detect_content(path: Path) -> Content:
    """Return what the file at `path` holds: text, packed text or a workbook.

    Args:
        path: File that should be a table.

    Returns:
        "text", "gzip" (of text) or "workbook".

    Raises:
        DataError: Nothing there, a folder, a file that may not be read, an empty one, or something
            that is no table; says what it is.
    """
    _refuse_missing(path)
    with open_bytes(path, "text") as file:
        kind = _kind_of(file.read(HEAD))
    if kind is FileKind.GZIP:
        _refuse_others(path, _kind_of(_gzip_head(path)), " in a .gz")
        return "gzip"
    if kind is FileKind.ZIP:
        _refuse_archive(path)
        return "workbook"
    # A workbook behind a password looks like an old one.
    if kind is FileKind.OLE:
        return "workbook"
    _refuse_others(path, kind)
    return "text"


@contextlib.contextmanager
def open_bytes(path: Path, content: Content) -> Iterator[IO[bytes]]:
    """Open the file at `path`, unpacked where it is "gzip"; raise DataError where it is torn."""
    try:
        with path.open("rb") as file:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if content == "gzip" else file
    except EOFError:
        raise DataError(
            f"a whole .gz file at '{path}'", "one that is cut off", "fetch it again"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise DataError(
            f"a file that can be read at '{path}'", reason[:1].lower() + reason[1:], "check it"
        ) from None
    except zlib.error as error:
        raise DataError(f"a whole .gz file at '{path}'", str(error), "fetch it again") from None


def _refuse_missing(path: Path) -> None:
    if path.is_file():
        return
    found = "a folder" if path.is_dir() else "nothing there"
    if path.is_symlink():
        found = "a link that leads nowhere"
    raise DataError(f"a table at '{path}'", found, "check the path")


def _kind_of(head: bytes) -> FileKind | None:
    # Nothing but a byte order mark and blanks is no table either.
    blank = not head.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    return FileKind.EMPTY if blank else detect_file_kind(head)


def _gzip_head(path: Path) -> bytes:
    with open_bytes(path, "gzip") as file:
        return file.read(HEAD)


def _refuse_others(path: Path, kind: FileKind | None, packed: str = "") -> None:
    if kind is None:
        return
    if packed and kind in (FileKind.GZIP, FileKind.ZIP, FileKind.OLE):
        raise _no_table(path, f"{kind}{packed}", _UNPACK)
    raise _no_table(path, f"{kind}{packed}", kind.mend(_MENDS.get(kind, _FETCH)))


def _no_table(path: Path, found: str, mend: str) -> DataError:
    return DataError(f"a table at '{path}'", found, mend)


def _refuse_archive(path: Path) -> None:
    """Let workbooks pass, which are zip archives too."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise DataError(
            f"a table at '{path}'", "a zip archive that is cut off", "fetch it again"
        ) from None
    if any(name.startswith("xl/") for name in names) or "content.xml" in names:
        return
    first = ", ".join(f"'{name}'" for name in names[:3]) + (", ..." if len(names) > 3 else "")
    raise DataError(
        f"a table at '{path}'",
        f"a zip archive of {first}",
        _UNPACK,
    )
