"""Finds each row's photograph among the files of a folder, by the name that its table writes."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from melanoscope.data.sources.image_files.choose import Choice
from melanoscope.data.sources.image_files.folder_walk import (
    FolderContents,
    ImageFile,
    list_files,
)
from melanoscope.data.sources.image_files.names import (
    RowName,
    is_camera_name,
    is_written_alike,
    split_row_name,
)


class Match(NamedTuple):
    """A file found for a name; `exactness` is highest where nothing had to be overlooked."""

    path: str
    exactness: int
    by_name_alone: bool = False


_WRITTEN_SO = 4
_PERFECT = 3


@dataclass
class Lookup:
    """The files found for the distinct names of a table.

    Attributes:
        found: Name -> its file.
        elsewhere: Names whose folder is here and does not hold them, though another folder does.
        shared: Names that lack a file of their own: another row names it more exactly.
    """

    found: dict[str, Match] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)


def match_written_paths(root: str, rows: Mapping[str, RowName]) -> dict[str, Match]:
    """Find the names that are, as they are written, paths of files from `root`."""
    # An id is no path: of the files that bear it, the one just here need not be the right one.
    names = {name: name.strip() for name, row in rows.items() if row.folders or row.suffix}
    matches = _match_paths(root, {name: path.replace("\\", "/") for name, path in names.items()})
    # Not everywhere does a backslash part folders: a file of exactly this name is meant.
    exact = {name: path for name, path in names.items() if "\\" in path}
    return matches | _match_paths(root, exact)


def _match_paths(root: str, paths: Mapping[str, str]) -> dict[str, Match]:
    by_folder: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, path in paths.items():
        folder, _, file = path.rpartition("/")
        by_folder[folder + "/" if folder or path.startswith("/") else ""].append((name, file))
    matches: dict[str, Match] = {}
    for folder, pairs in by_folder.items():
        place = os.path.normpath(os.path.join(root, folder))  # noqa: PTH118
        here = list_files(place)
        for name, file in pairs:
            if file in here:
                matches[name] = Match(os.path.join(place, file), _WRITTEN_SO)  # noqa: PTH118
    return matches


def match_names(contents: FolderContents, rows: Mapping[str, RowName], choice: Choice) -> Lookup:
    """Find the other names by stem, then by as many of the folders they write as are here."""
    lookup = Lookup()
    n_rows: dict[str, int] = defaultdict(int)
    for row in rows.values():
        n_rows[row.key] += 1
    for name, row in rows.items():
        files = contents.images.get(row.key)
        if files is None and "%" in name:
            row = split_row_name(unquote(name))
            files = contents.images.get(row.key)
        if files is None:
            continue
        n_common = max(_n_common(file.folders, row.folders) for file in files)
        nearest = [file for file in files if _n_common(file.folders, row.folders) == n_common]
        if _folder_is_here(contents, row, n_common):
            lookup.elsewhere.append(name)
            continue
        file = choice.among(nearest, row, n_common)
        if file is None:
            continue
        loose = n_common < min(len(row.folders), len(file.folders))
        if loose and (n_rows[row.key] > 1 or is_camera_name(row.key)):
            lookup.elsewhere.append(name)
            continue
        lookup.found[name] = Match(file.path, _exactness(file, row, n_common), loose)
    # A mask whose photograph is absent is found out by the masks that lay beside photographs.
    for name in [n for n, match in lookup.found.items() if choice.lies_among_masks(match.path)]:
        del lookup.found[name]
    return lookup


def share_files(lookup: Lookup) -> None:
    """Where different names found one file, leave it to the name that fits it best."""
    by_path: dict[str, list[str]] = defaultdict(list)
    for name, match in lookup.found.items():
        by_path[match.path].append(name)
    for names in by_path.values():
        if len(names) == 1:
            continue
        best = max(lookup.found[name].exactness for name in names)
        enough = min(best, _PERFECT)
        keep = [name for name in names if lookup.found[name].exactness >= enough]
        if best < _PERFECT and len(keep) > 1:
            keep = []
        for name in set(names) - set(keep):
            del lookup.found[name]
            lookup.shared.append(name)


def _n_common(folders: tuple[str, ...], named: tuple[str, ...]) -> int:
    """Count the folders just above a file that a row names too."""
    count = 0
    for here, there in zip(reversed(folders), reversed(named), strict=False):
        if here != there:
            break
        count += 1
    return count


def _folder_is_here(contents: FolderContents, row: RowName, n_common: int) -> bool:
    """Whether more of the row's folders are here than lead to any file of its name."""
    longest = len(row.folders)
    return any(row.folders[-n:] in contents.tails for n in range(longest, n_common, -1))


def _exactness(file: ImageFile, row: RowName, n_common: int) -> int:
    return (
        (n_common == len(row.folders))
        + is_written_alike(file.stem, row.stem)
        + (not row.suffix or row.suffix == file.suffix)
    )
