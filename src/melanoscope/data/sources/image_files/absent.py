"""Why a photograph is absent, as far as its folder tells: packed, another format, other ids."""

from __future__ import annotations

import os
import re
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from melanoscope.data.sources.image_files.folder_walk import FolderContents
from melanoscope.data.sources.image_files.names import (
    UNFINISHED_SUFFIXES,
    is_mask_folder,
    is_mask_name,
    key_of,
    split_file_name,
)

# Causes are sought for so many of the absent, evenly over the table: a cause concerns many.
_MAX_SOUGHT = 2000
_MAX_LISTED = 3
_MIN_DIGITS = 3
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


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
        first = contents.misnamed[0].encode(errors="replace").decode()
        what = "1 name is" if count == 1 else f"{count:,} names are"
        said.append(f"{what} no UTF-8 and passed over (first: '{first}'): rename them")
    return said


def explain_absence(contents: FolderContents, absent: Sequence[str], taken: set[str]) -> list[str]:
    """Say the likely causes of absent photographs.

    Args:
        contents: What lies below the folder.
        absent: Keys (`key_of`) of the stems without a file.
        taken: Keys of the stems that have one.

    Returns:
        Sentences, the surest cause first.
    """
    free = sorted(set(contents.images) - taken)
    others = [key for key in free if _is_photograph(contents, key)]
    said = [
        *_explain_other_kinds(contents, absent),
        *_explain_packed(contents, absent),
        *_explain_other_ids(absent, others),
    ]
    if said or contents.closed:
        return said
    if others:
        name = Path(contents.images[others[0]][0].path).name
        verb = "photograph lies" if len(others) == 1 else "photographs lie"
        what = f"{len(others):,} {verb} there that no row names (first: '{name}')"
        return [f"{what}: another archive's, or another part of this one?"]
    # Nothing that is left fits: the folder lacks them.
    return [] if taken else [f"no photograph lies in '{contents.root}' or below it"]


def _explain_other_kinds(contents: FolderContents, absent: Sequence[str]) -> list[str]:
    """Name files of the absent that are no photographs to read: links, folders, other formats."""
    said = []
    links = [contents.dangling[key] for key in absent if key in contents.dangling]
    if links:
        target = os.readlink(links[0])  # noqa: PTH115 - a dangling Path would be resolved
        said.append(
            f"{_count(links, 'link')} to a file that is not there (first: '{links[0]}' -> "
            f"'{target}'): is its disk connected?"
        )
    folders = [contents.namesakes[key] for key in absent if key in contents.namesakes]
    if folders:
        said.append(f"{_count(folders, 'folder')} named like a photograph (first: '{folders[0]}')")
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
    return "a format that is not read: save them as JPEG or PNG"


def _explain_packed(contents: FolderContents, absent: Sequence[str]) -> list[str]:
    said = []
    wanted = set(absent)
    for path in contents.packed[:_MAX_LISTED]:
        inside = _n_inside(path, wanted)
        holds = f", with {inside:,} of the absent in it" if inside else ""
        if inside != 0:
            said.append(f"'{path}' is still packed{holds}: unpack it here")
    if contents.containers:
        place = contents.containers[0]
        more = f" and {len(contents.containers) - 1} more" if contents.containers[1:] else ""
        said.append(f"'{place}'{more} may hold photographs, in a format that is not read")
    return said


def _n_inside(path: str, wanted: set[str]) -> int | None:
    """Count the wanted files in a .zip; None where its list cannot be read."""
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            names = (Path(name).name for name in archive.namelist())
            return len({key_of(split_file_name(name)[0]) for name in names} & wanted)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return None


def _explain_other_ids(absent: Sequence[str], free: Sequence[str]) -> list[str]:
    """Look for one difference between the absent names and those of files that no row names."""
    step = max(1, len(absent) // _MAX_SOUGHT)
    sought = absent[::step]
    forwards = sorted(free)
    backwards = sorted(name[::-1] for name in free)
    numbers = {"": ""}
    for name in forwards:
        numbers.setdefault(_digits(name), name)
    differences: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for name in sought:
        found = _difference(name, forwards, backwards, numbers)
        if found:
            difference, file = found
            differences[difference] += 1
            first.setdefault(difference, (name, file))
    return [
        f"{count:,}{' of the first' if step > 1 else ''} absent names differ from a file's only by "
        f"{difference} (first: '{first[difference][0]}' and '{first[difference][1]}')"
        for difference, count in differences.most_common(_MAX_LISTED)
        if 20 * count >= len(sought) or count > 1
    ]


def _difference(
    name: str, forwards: list[str], backwards: list[str], numbers: dict[str, str]
) -> tuple[str, str] | None:
    if not name:
        return None
    longer = _starting_with(name, forwards)
    if longer:
        return f"'{longer[len(name) :]}' behind the name", longer
    longer = _starting_with(name[::-1], backwards)[::-1]
    if longer:
        return f"'{longer[: len(longer) - len(name)]}' before the name", longer
    for end in range(len(name) - 1, max(2, len(name) // 3), -1):
        shorter, rest = name[:end], name[end:]
        if not rest[0].isalnum() and _holds(forwards, shorter):
            return f"'{rest}', which the table's names have behind", shorter
    for start in range(1, min(len(name) - 2, 2 * len(name) // 3)):
        if not name[start - 1].isalnum() and _holds(forwards, name[start:]):
            return f"'{name[:start]}', which the table's names have before", name[start:]
    file = numbers.get(_digits(name))
    if not file:
        return None
    alike = _ZEROS.sub("", name) == _ZEROS.sub("", file)
    return "leading zeros" if alike else "what stands around the number", file


def _starting_with(name: str, ordered: list[str]) -> str:
    place = bisect_left(ordered, name)
    found = ordered[place] if place < len(ordered) else ""
    rest = found[len(name) :]
    # "ISIC_1" is no beginning of "ISIC_12".
    fits = found.startswith(name) and rest and not (rest[0].isdigit() and name[-1].isdigit())
    return found if fits else ""


def _holds(ordered: list[str], name: str) -> bool:
    place = bisect_left(ordered, name)
    return place < len(ordered) and ordered[place] == name


def _digits(name: str) -> str:
    """Return a name's number, which remains when programs change the rest; a short one is none."""
    digits = "".join(c for c in name if c.isdigit())
    return digits.lstrip("0") if len(digits) >= _MIN_DIGITS else ""


def _is_photograph(contents: FolderContents, key: str) -> bool:
    file = contents.images[key][0]
    is_drawing = is_mask_name(file.stem) or is_mask_folder(file.folders)
    return bool(file.suffix) and not is_drawing


def _count(items: Sequence[str], name: str) -> str:
    return f"1 is a {name}" if len(items) == 1 else f"{len(items):,} are {name}s"
