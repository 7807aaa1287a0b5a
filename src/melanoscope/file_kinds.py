"""What a file is instead of what was expected, by its first bytes.

A pointer of git-lfs, a server's page or an archive lies often enough under the name of a table, a
photograph or weights; whoever reads such a file asks here, so that all say it in the same words.
"""

from __future__ import annotations

import errno
import re
import stat
from enum import StrEnum
from pathlib import Path

# As many bytes as `detect_file_kind` looks at: tar names itself at 257.
HEAD = 512


class FileKind(StrEnum):
    """A kind of file that is known by its first bytes; its text completes "found ..."."""

    EMPTY = "an empty file"
    ZEROS = "zeros only (a copy or download that was torn off)"
    LFS_POINTER = "a git-lfs pointer, not the file that it stands for"
    ANNEX_POINTER = "a git-annex pointer, not the file that it stands for"
    HTML = "a web page (HTML)"
    XML = "an XML document (often what a server says when it refuses)"
    JSON = "a JSON document"
    ZIP = "a zip archive"
    GZIP = "a gzip file"
    TAR = "a tar archive"
    BZIP2 = "a bzip2 file"
    XZ = "an xz file"
    ZSTD = "a zstd file"
    SEVEN_ZIP = "a 7z archive"
    RAR = "a rar archive"
    PDF = "a PDF document"
    OLE = "an old Office document (.xls, .doc)"
    PARQUET = "a Parquet table"
    HDF5 = "an HDF5 file"
    SQLITE = "an SQLite database"
    NUMPY = "a NumPy array"
    SAFETENSORS = "a safetensors file"
    PICKLE = "a Python pickle"
    JPEG = "a JPEG picture"
    PNG = "a PNG picture"
    TIFF = "a TIFF picture"
    DICOM = "a DICOM file"
    DICOM_HEADLESS = "a DICOM file without its head (the letters DICM at byte 128)"
    APPLE_DOUBLE = "macOS's notes on another file (its name begins with ._)"
    PROGRAM = "a program"

    def mend(self, otherwise: str) -> str:
        """Return what to do about a file of this kind, or `otherwise` where nothing is special."""
        return _MENDS.get(self, otherwise)


PACKED_KINDS = frozenset(
    {
        *(FileKind.ZIP, FileKind.GZIP, FileKind.TAR, FileKind.BZIP2, FileKind.XZ, FileKind.ZSTD),
        *(FileKind.SEVEN_ZIP, FileKind.RAR),
    }
)
"""Files that hold others."""

_MENDS = {
    FileKind.EMPTY: "copy or download it again",
    FileKind.ZEROS: "copy or download it again",
    FileKind.LFS_POINTER: "fetch the file with `git lfs pull`",
    FileKind.ANNEX_POINTER: "fetch the file with `git annex get`",
    FileKind.HTML: "download the file itself, not the page that shows it",
    FileKind.XML: "download the file again",
    FileKind.DICOM_HEADLESS: "save it anew with a DICOM viewer",
}

_STARTS = (
    (b"version https://git-lfs", FileKind.LFS_POINTER),
    (b"version https://hawser", FileKind.LFS_POINTER),  # git-lfs's first name
    (b"/annex/objects/", FileKind.ANNEX_POINTER),
    (b"PK\x03\x04", FileKind.ZIP),
    (b"PK\x05\x06", FileKind.ZIP),
    (b"\x1f\x8b", FileKind.GZIP),
    *((b"BZh%d1AY&SY" % level, FileKind.BZIP2) for level in range(1, 10)),
    (b"\xfd7zXZ\0", FileKind.XZ),
    (b"\x28\xb5\x2f\xfd", FileKind.ZSTD),
    (b"7z\xbc\xaf\x27\x1c", FileKind.SEVEN_ZIP),
    (b"Rar!\x1a\x07", FileKind.RAR),
    (b"%PDF-", FileKind.PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind.OLE),
    (b"PAR1\x15", FileKind.PARQUET),  # a column may be named PAR1
    (b"\x89HDF\r\n\x1a\n", FileKind.HDF5),
    (b"SQLite format 3\0", FileKind.SQLITE),
    (b"\x93NUMPY", FileKind.NUMPY),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"II*\0", FileKind.TIFF),
    (b"MM\0*", FileKind.TIFF),
    (b"\0\x05\x16\x07", FileKind.APPLE_DOUBLE),
    (b"\x7fELF", FileKind.PROGRAM),
    *((b"\x80" + bytes([protocol]), FileKind.PICKLE) for protocol in range(2, 6)),
)


# The first element of a meta header or a dataset: group 2 or 8 and a type, or group 8 and a length.
_DICOM_ELEMENT = re.compile(
    rb"[\x02\x08]\0.\0(AE|CS|DA|DT|IS|LO|SH|TM|UI|UL|OB)|\x08\0[\0\x01\x05\x08\x12-\x18\x20]\0.\0\0\0",
    re.DOTALL,
)


def detect_file_kind(head: bytes) -> FileKind | None:
    """Recognise a file by its first bytes.

    Args:
        head: The first `HEAD` bytes of the file, or all where it has fewer.

    Returns:
        The kind, whose text completes "found ..."; None for a table, plain text and all else.

    >>> str(detect_file_kind(b"<!DOCTYPE html><html><head>"))
    'a web page (HTML)'
    >>> detect_file_kind(b"image_id,target") is None
    True
    """
    if not head:
        return FileKind.EMPTY
    if not any(head):
        # A few bytes of zero begin many a format.
        return FileKind.ZEROS if len(head) >= 256 else None
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[128:132] == b"DICM":
        return FileKind.DICOM
    if head.startswith(b"DICM") or _DICOM_ELEMENT.match(head):
        return FileKind.DICOM_HEADLESS
    if head[257:262] == b"ustar":
        return FileKind.TAR
    # The length of its JSON in 8 bytes, then the JSON.
    if head[8:9] == b"{" and head[5:8] == b"\0\0\0":
        return FileKind.SAFETENSORS
    return _kind_of_text(head)


def read_file_kind(path: Path) -> FileKind | None:
    """Recognise the file at `path` as `detect_file_kind` does; OSError if it cannot be read."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "no ordinary file", str(path))  # a pipe would be waited for
    with path.open("rb", buffering=0) as file:
        return detect_file_kind(file.read(HEAD))


def _kind_of_text(head: bytes) -> FileKind | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        if any(tag in text for tag in (b"<html", b"<!doctype html", b"<head", b"<body")):
            return FileKind.HTML
        return FileKind.XML if text.startswith((b"<?xml", b"<error")) else None
    # A table's header may begin with "[" or "{" too, so the next sign must be JSON's.
    return FileKind.JSON if text[:1] in (b"{", b"[") and _opens_json(text[1:]) else None


def _opens_json(text: bytes) -> bool:
    return text.lstrip()[:1] in (b'"', b"{", b"[")
