"""What names of files and folders say: the photograph's stem, a mask, a resized copy, a camera."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

from melanoscope.imaging.decode import SUFFIXES

DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
UNFINISHED_SUFFIXES = frozenset({".part", ".partial", ".crdownload", ".download", ".aria2", ".tmp"})
ICLOUD_SUFFIX = ".icloud"  # of macOS's placeholders for what it has not downloaded
# What tables write behind an id, whether it is read or not: "ISIC_1.dcm" asks for "ISIC_1".
_NAMED_SUFFIXES = SUFFIXES | {
    *(".jpe", ".jfif", ".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".svg", ".dcm", ".dicom"),
    *(".psd", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".npy", ".mat"),
}
_MASK = re.compile(
    r"mask|segment|super_?pixel|ground_?truth|annotation|attribute|overlay|heat_?map|saliency"
    r"|(?<![a-z])(gt|roi|binary|contours?|outlines?|labels?)(?![a-z])"
)
_RESIZED = re.compile(
    r"resiz|thumb|preview|downsampl|downscal|rescal|small|low_?res|cache|crop|augment|processed"
    r"|(?<!\d)\d{2,4}x\d{2,4}(?!\d)|(?<!\d)(64|96|128|160|192|224|240|256|299|300|320|331|336|380"
    r"|384|400|448|456|480|512|518|528|600|640|768|1024)(px)?(?!\d)"
)
_CAMERA = re.compile(
    r"(_?dsc[a-z]?|c?img|image|pic|picture|photo|foto|p|sam|scan|lesion|case|patient)?"
    r"[-_ ]?\d{1,8}|.{1,4}"
)

_SPECIAL = re.compile(r"[./\\]")


class RowName(NamedTuple):
    """A row's name of its photograph; `folders` and `key` in the form of `key_of`."""

    folders: tuple[str, ...]
    stem: str
    suffix: str
    key: str


def key_of(text: str) -> str:
    """Return a name as it is compared: composed (NFC), without case, without blanks around it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
        return text.strip()
    return text.casefold().strip()


def is_written_alike(first: str, second: str) -> bool:
    """Whether two stems have the same letters in the same case."""
    if first == second:
        return True
    a, b = (unicodedata.normalize("NFC", stem.strip()) for stem in (first, second))
    return a == b


def split_row_name(text: str) -> RowName:
    r"""Split what a table writes.

    >>> split_row_name(r".\Images\ISIC_1.JPG ")
    RowName(folders=('images',), stem='ISIC_1', suffix='.jpg', key='isic_1')
    """
    text = text.strip()
    if not _SPECIAL.search(text):
        return RowName((), text, "", key_of(text))
    if "://" in text:
        text = unquote(text.partition("://")[2].partition("?")[0])
    parts: list[str] = []
    for part in text.replace("\\", "/").split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part.strip() not in ("", ".", ".."):
            parts.append(part.strip())
    if not parts:
        return RowName((), "", "", "")
    stem, suffix = _split_suffix(parts[-1])
    if suffix.lower() not in _NAMED_SUFFIXES:
        stem, suffix = parts[-1], ""
    return RowName(tuple(map(key_of, parts[:-1])), stem, suffix.lower(), key_of(stem))


def split_file_name(name: str) -> tuple[str, str]:
    """Return a file's stem and suffix; a number behind a dot, as in DICOM's ids, is no suffix."""
    stem, suffix = _split_suffix(name)
    return (name, "") if suffix[1:].isdigit() or suffix == "." else (stem, suffix.lower())


def is_mask_folder(folders: tuple[str, ...]) -> bool:
    """Whether one of `folders` says that it holds masks or other drawings of a photograph."""
    return any(_MASK.search(folder) for folder in folders)


def is_mask_name(text: str) -> bool:
    """Whether a file's name says that it is a mask or another drawing of a photograph."""
    return bool(_MASK.search(key_of(text)))


def is_resized_folder(folders: tuple[str, ...]) -> bool:
    """Whether one of `folders` says that it holds resized copies, such as "train_224"."""
    return any(_RESIZED.search(folder) for folder in folders)


def is_camera_name(key: str) -> bool:
    """Whether a name is a camera's or a counter's, which other people's photographs bear too."""
    return bool(_CAMERA.fullmatch(key))


def _split_suffix(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem else (name, "")
