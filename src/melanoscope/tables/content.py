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

Content = Literal["text", "gzip", "workbook"]

_HEAD = 1024
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
# Old workbooks; a workbook behind a password looks the same.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_FETCH = "fetch the table itself"
_UNPACK = "unpack it and name the table in it"
_SAVE = "save the table as CSV"
# First letters, in lower case as pages vary -> what the file is, and how to mend it.
_TEXTS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"version https://git-lfs",), "a Git LFS pointer instead of the file", "run 'git lfs pull'"),
    ((b"/annex/objects/",), "a git-annex pointer instead of the file", "run 'git annex get'"),
    (
        (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta"),
        "an HTML page, perhaps to sign in",
        f"sign in where it comes from and {_FETCH}",
    ),
    ((b"<?xml", b"<error"), "an XML document, perhaps a server's error", _FETCH),
    ((b'{"', b"{\n", b"{\r", b"{ ", b"[{", b"[\n"), "a JSON document", f"{_FETCH} as CSV"),
)
_MAGIC: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"%PDF",), "a PDF", _SAVE),
    ((b"{\\rtf",), "an RTF document", _SAVE),
    ((b"PK\x05\x06",), "an empty zip archive", _FETCH),
    (tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)), "a bzip2 archive", _UNPACK),
    ((b"\xfd7zXZ\0",), "an xz archive", _UNPACK),
    ((b"\x28\xb5\x2f\xfd",), "a zstd archive", _UNPACK),
    ((b"7z\xbc\xaf\x27\x1c",), "a 7z archive", _UNPACK),
    ((b"Rar!\x1a",), "a rar archive", _UNPACK),
    ((b"PAR1\x15",), "a Parquet file", _SAVE),
    ((b"ARROW1\0", b"FEA1"), "an Arrow file", _SAVE),
    ((b"\x89HDF",), "an HDF5 file", _SAVE),
    ((b"SQLite format 3\0",), "an SQLite database", _SAVE),
    ((b"\0\x05\x16\x07", b"\0\x05\x16\0"), "a side file of macOS", "name the file beside it"),
    (
        (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*"),
        "a picture",
        "name the table, not a photograph",
    ),
)


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
        head = file.read(_HEAD)
    if head.startswith(_GZIP):
        _refuse_others(path, _gzip_head(path), " in a .gz")
        return "gzip"
    if head.startswith(_ZIP):
        _refuse_archive(path)
        return "workbook"
    if head.startswith(_OLE):
        return "workbook"
    _refuse_others(path, head)
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


def _gzip_head(path: Path) -> bytes:
    with open_bytes(path, "gzip") as file:
        return file.read(_HEAD)


def _refuse_others(path: Path, head: bytes, packed: str = "") -> None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise _no_table(path, f"an empty file{packed}", "check the file")
    if not text.strip(b"\0"):
        raise _no_table(path, f"nothing but NUL bytes{packed}", "fetch the file again")
    if head[257:262] == b"ustar":
        raise _no_table(path, f"a tar archive{packed}", _UNPACK)
    if packed and head.startswith((_ZIP, _GZIP, _OLE)):
        raise _no_table(path, f"an archive or a workbook{packed}", _UNPACK)
    lower = text.lower()
    for starts, found, mend in _TEXTS:
        if lower.startswith(starts):
            raise _no_table(path, found + packed, mend)
    for starts, found, mend in _MAGIC:
        if head.startswith(starts):
            raise _no_table(path, found + packed, mend)


def _no_table(path: Path, found: str, mend: str) -> DataError:
    return DataError(f"a table at '{path}'", found, mend)


def _refuse_archive(path: Path) -> None:
    """Let workbooks pass, which are zip archives too."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
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
