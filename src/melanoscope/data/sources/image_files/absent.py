"""Why a photograph is absent, as far as its folder tells: packed, another format, other ids."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from melanoscope.data.sources.image_files.folder_walk import FolderContents
from melanoscope.data.sources.image_files.names import (
    ICLOUD_SUFFIX,
    UNFINISHED_SUFFIXES,
    is_mask_folder,
    is_mask_name,
    key_of,
    split_file_name,
)
from melanoscope.data.sources.image_files.other_ids import explain_other_ids
from melanoscope.errors import one_line
from melanoscope.file_kinds import PACKED_KINDS, read_file_kind

_MAX_LISTED = 3
# So many files are opened to see what they are.
_MAX_OPENED = 50


def explain_folders(contents: FolderContents) -> list[str]:
    """Say what of a folder was not looked at, whether a row lacks its photograph or not.

    Args:
        contents: What lies below the folder.

    Returns:
        Sentences.
    """
    said = [
        f"the folder '{place}' may not be entered ({reason.lower()})"
        for place, reason in contents.closed[:_MAX_LISTED]
    ]
    if contents.circles:
        more = f" and {len(contents.circles) - 1} more" if contents.circles[1:] else ""
        said.append(f"'{contents.circles[0]}'{more} leads to a folder searched before")
    if contents.misnamed:
        count = len(contents.misnamed)
        first = one_line(contents.misnamed[0])
        what = "1 name is" if count == 1 else f"{count:,} names are"
        said.append(f"{what} no UTF-8 and passed over (first: '{first}'): rename them")
    return said


def explain_absence(
    contents: FolderContents, absent: Mapping[str, str], taken: set[str]
) -> list[str]:
    """Say the likely causes of absent photographs.

    Args:
        contents: What lies below the folder.
        absent: Key (`key_of`) of each stem without a file -> the stem as its row writes it.
        taken: Keys of the stems that have one.

    Returns:
        Sentences, the surest cause first.
    """
    free = sorted(set(contents.images) - taken - set(absent))
    others = [key for key in free if _is_photograph(contents, key)]
    said = [
        *_explain_other_kinds(contents, list(absent)),
        *_explain_packed(contents, absent, free),
        *_explain_folders_of_rows(contents, absent),
        *explain_other_ids(absent, {key: contents.images[key][0].stem for key in others}),
    ]
    if said or contents.closed:
        return said
    if others:
        name = Path(contents.images[others[0]][0].path).name
        count = sum(len(contents.images[key]) for key in others)
        verb = "photograph lies" if count == 1 else "photographs lie"
        what = f"{count:,} {verb} there that no row names (first: '{name}')"
        return [f"{what}: another archive's, or another part of this one?"]
    if contents.hidden:
        return [f"hidden folders are not searched (first: '{contents.hidden[0]}'): rename it"]
    # Nothing that is left fits: the folder lacks them.
    is_empty = not any(_is_photograph(contents, key) for key in contents.images)
    return [f"no photograph lies in '{contents.root}' or below it"] if is_empty else []


def _explain_other_kinds(contents: FolderContents, absent: Sequence[str]) -> list[str]:
    """Name files of the absent that are no photographs to read: links, folders, other formats."""
    said = []
    links = [contents.dangling[key] for key in absent if key in contents.dangling]
    if links:
        advice = "is its disk connected?"
        target = os.readlink(links[0])  # noqa: PTH115 - a dangling Path would be resolved
        if "annex/objects/" in target:
            advice = "fetch the files with git annex get"
        said.append(
            f"{_count(links, 'link')} to a file that is not there (first: '{links[0]}' -> "
            f"'{target}'): {advice}"
        )
    folders = [contents.namesakes[key] for key in absent if key in contents.namesakes]
    if folders:
        said.append(f"{_count(folders, 'folder')} named like a photograph (first: '{folders[0]}')")
    specials = [contents.specials[key] for key in absent if key in contents.specials]
    if specials:
        said.append(f"{_count(specials, 'pipe or device')}, no file (first: '{specials[0]}')")
    by_suffix: dict[str, list[str]] = {}
    for key in absent:
        for path in contents.others.get(key, ()):
            by_suffix.setdefault(split_file_name(path)[1], []).append(path)
    for suffix, paths in sorted(by_suffix.items(), key=lambda item: -len(item[1]))[:_MAX_LISTED]:
        are = "is" if len(paths) == 1 else "are"
        said.append(
            f"{len(paths):,} {are} there only as {suffix} ({_advice(suffix)}; first: '{paths[0]}')"
        )
    return said


def _advice(suffix: str) -> str:
    if suffix in UNFINISHED_SUFFIXES:
        return "an unfinished download"
    if suffix == ICLOUD_SUFFIX:
        return "left in iCloud: let macOS download them"
    return "a format that is not read: save them as JPEG or PNG"


def _explain_packed(
    contents: FolderContents, absent: Mapping[str, str], free: Sequence[str]
) -> list[str]:
    nameless = (f.path for key in free for f in contents.images[key] if not f.suffix)
    packed = [*contents.packed, *filter(_is_packed, islice(nameless, _MAX_OPENED))]
    inside = {path: _n_inside(path, absent) for path in packed[:_MAX_OPENED]}
    said = []
    for paths in ([p for p, n in inside.items() if n], [p for p, n in inside.items() if n is None]):
        if paths:
            more = f" and {len(paths) - 1} more" if paths[1:] else ""
            are, them = ("are", "them") if more else ("is", "it")
            count = sum(inside[path] or 0 for path in paths)
            holds = f", with {count:,} of the absent in {them}" if count else ""
            said.append(f"'{paths[0]}'{more} {are} still packed{holds}: unpack {them} here")
    if contents.containers:
        place = contents.containers[0]
        more = f" and {len(contents.containers) - 1} more" if contents.containers[1:] else ""
        said.append(f"'{place}'{more} may hold photographs, in a format that is not read")
    return said


def _is_packed(path: str) -> bool:
    """Whether a file without a suffix is packed, by its first bytes."""
    try:
        return read_file_kind(Path(path)) in PACKED_KINDS
    except OSError:
        return False


def _explain_folders_of_rows(contents: FolderContents, absent: Mapping[str, str]) -> list[str]:
    """Name folders that bear the names of rows, and whose photographs bear others."""
    named = [stem for key, stem in absent.items() if (key,) in contents.tails]
    if not named:
        return []
    said = f"{_count(named, 'folder')} and no file of that name (first: '{named[0]}')"
    return [f"{said}: write the path of the photograph in it into the table"]


def _n_inside(path: str, wanted: Mapping[str, str]) -> int | None:
    """Count the wanted files in a .zip; None where its list cannot be read."""
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            names = (Path(name).name for name in archive.namelist())
            return len({key_of(split_file_name(name)[0]) for name in names} & wanted.keys())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return None


def _is_photograph(contents: FolderContents, key: str) -> bool:
    file = contents.images[key][0]
    is_drawing = is_mask_name(file.stem) or is_mask_folder(file.folders)
    return bool(file.suffix) and not is_drawing


def _count(items: Sequence[str], name: str) -> str:
    return f"1 is a {name}" if len(items) == 1 else f"{len(items):,} are {name}s"
