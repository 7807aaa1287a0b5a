"""One walk through an archive's folder: photographs by name, and what else explains an absence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from melanoscope.data.sources.image_files.names import (
    ICLOUD_SUFFIX,
    UNFINISHED_SUFFIXES,
    key_of,
    split_file_name,
)
from melanoscope.imaging.decode import SUFFIXES

# What systems, tools and other programs leave beside photographs.
_HIDDEN = ("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information")
_IGNORED = frozenset({"thumbs.db", "desktop.ini"})
# Whole, or in parts: images.zip, images.z01, images.7z.001, images.part1.rar, images.tar.gzaa
_PACKED = re.compile(
    r"\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|lz4|7z|rar|z\d\d|r\d\d)([._-]?(part)?(\d+|[a-z]{2}))?$",
    re.IGNORECASE,
)
_CONTAINERS = frozenset({".tfrec", ".tfrecord", ".tfrecords", ".hdf5", ".h5", ".npz", ".lmdb"})
_CONTAINERS |= {".mdb", ".parquet", ".pkl", ".pt"}
_TEXTS = frozenset({".txt", ".csv", ".tsv", ".tab", ".json", ".xml", ".yaml", ".yml", ".md"})
_TEXTS |= {".html", ".pdf", ".xlsx", ".xls", ".ods", ".docx", ".py", ".ipynb", ".log"}


class ImageFile(NamedTuple):
    """A file that may be a row's photograph; `folders` lead to it from the searched folder."""

    path: str
    folders: tuple[str, ...]
    stem: str
    suffix: str


@dataclass
class FolderContents:
    """What lies below a folder, by the key (`key_of`) of the files' stems.

    Attributes:
        root: The searched folder.
        images: Files of a format that is read, or without a suffix.
        others: Files of other formats: raw photographs, unfinished downloads.
        dangling: Links to nothing.
        namesakes: Folders that are named as photographs are.
        tails: Every folder below `root`, and each end of its path.
        packed: Archives that are still packed.
        containers: Files that hold many photographs in one.
        closed: Folders that may not be entered, and why.
        hidden: Folders that are not searched, as their names begin with a dot.
        specials: Pipes, devices and what else is no file.
        circles: Folders that lead back to one already searched.
        misnamed: Files and folders whose names are no UTF-8.
    """

    root: str
    images: dict[str, list[ImageFile]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    dangling: dict[str, str] = field(default_factory=dict)
    namesakes: dict[str, str] = field(default_factory=dict)
    tails: set[tuple[str, ...]] = field(default_factory=set)
    packed: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    specials: dict[str, str] = field(default_factory=dict)
    circles: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)


def walk_folder(root: str) -> FolderContents:
    """Look once at everything below `root`, through linked folders too, and open nothing."""
    contents = FolderContents(root)
    visited: set[tuple[int, int]] = set()
    waiting: list[tuple[str, tuple[str, ...]]] = [(root, ())]
    while waiting:
        here, folders = waiting.pop()
        subfolders = []
        for entry in _entries(here, visited, contents):
            if _is_folder(entry):
                if key_of(entry.name) not in _HIDDEN:
                    subfolders.append((entry.path, (*folders, key_of(entry.name))))
                    _add_folder(contents, entry, subfolders[-1][1])
            else:
                _add_file(contents, entry, folders)
        waiting.extend(reversed(subfolders))
    return contents


def list_files(folder: str) -> set[str]:
    """Return the names of the files in a folder, none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if _is_file(entry)}
    except (OSError, ValueError):
        return set()


def _entries(
    here: str, visited: set[tuple[int, int]], contents: FolderContents
) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a folder in the order of their names, hidden ones left out."""
    try:
        status = os.stat(here)  # noqa: PTH116 - a Path for each of 10,000 folders takes its time
        if (status.st_dev, status.st_ino) in visited:
            contents.circles.append(here)
            return
        visited.add((status.st_dev, status.st_ino))
        with os.scandir(here) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        contents.closed.append((here, error.strerror or type(error).__name__))
        return
    for entry in listed:
        if not _is_text(entry.name):
            contents.misnamed.append(entry.path)
        elif not entry.name.startswith("."):
            yield entry
        elif entry.name.endswith(ICLOUD_SUFFIX):
            stem, _ = split_file_name(entry.name[1:].removesuffix(ICLOUD_SUFFIX))
            contents.others.setdefault(key_of(stem), []).append(entry.path)
        elif _is_folder(entry):
            contents.hidden.append(entry.path)


def _is_packed(name: str) -> bool:
    """Whether a name is that of a packed file that is no table."""
    found = _PACKED.search(name)
    return found is not None and split_file_name(name[: found.start()])[1] not in _TEXTS


def _is_text(name: str) -> bool:
    """Whether a name is UTF-8: what other programs unpack may not be, and no table can name it."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _add_folder(contents: FolderContents, entry: os.DirEntry[str], parts: tuple[str, ...]) -> None:
    contents.tails.update(parts[start:] for start in range(len(parts)))
    stem, suffix = split_file_name(entry.name)
    if suffix in SUFFIXES:
        contents.namesakes[key_of(stem)] = entry.path


def _add_file(contents: FolderContents, entry: os.DirEntry[str], folders: tuple[str, ...]) -> None:
    stem, suffix = split_file_name(entry.name)
    key = key_of(stem)
    if not _is_file(entry):
        is_lost = entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110
        (contents.dangling if is_lost else contents.specials).setdefault(key, entry.path)
    elif suffix not in SUFFIXES and _is_packed(entry.name):
        contents.packed.append(entry.path)
    elif suffix in SUFFIXES or not suffix:
        file = ImageFile(entry.path, folders, stem, suffix)
        contents.images.setdefault(key, []).append(file)
    elif suffix in _CONTAINERS:
        contents.containers.append(entry.path)
    elif suffix not in _TEXTS and entry.name.lower() not in _IGNORED:
        if suffix in UNFINISHED_SUFFIXES:
            key = key_of(split_file_name(stem)[0])
        contents.others.setdefault(key, []).append(entry.path)
