"""Which files below folders of classes are photographs, where no table names them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from melanoscope.data.content_hash import content_hashes
from melanoscope.data.sources.image_files.folder_walk import FolderContents, ImageFile
from melanoscope.data.sources.image_files.names import is_mask_folder, key_of, split_file_name

# What stands behind the name of a photograph in names of drawings and copies made of it.
_DERIVED = re.compile(
    r"(?P<name>.+?)[-_ .@(]+(masks?|seg\w*|superpixels?|gt|overlay|heat_?map|contours?|lesion|"
    r"aug\w*|[hv]?flip\w*|mirror\w*|rot\w*|thumb\w*|small|preview|resiz\w*|crop\w*|no_?hair|"
    r"hair_?removed|copy|kopie|\d+x\d+|\d?x)([-_ ]*\(?\d+\)?)*"
)


def photographs_in(contents: FolderContents) -> tuple[list[Path], list[str]]:
    """Choose the photographs of a folder, and say what was left.

    Args:
        contents: What lies below the folder.

    Returns:
        The photographs by path, and a sentence for each kind of files that was left.
    """
    files = [file for group in contents.images.values() for file in group]
    beside = {(file.folders, key_of(file.stem)) for file in files if file.suffix}
    kinds: Counter[str] = Counter()
    taken = []
    for file in files:
        reason = _why_left(file, beside)
        if reason is None:
            taken.append(Path(file.path))
        else:
            kinds[reason] += 1
    notes = [f"{reason} passed over: {count:,}" for reason, count in kinds.items()]
    suffixes = Counter(
        split_file_name(path)[1] for paths in contents.others.values() for path in paths
    )
    if suffixes:
        counts = ", ".join(f"{suffix} {count:,}" for suffix, count in suffixes.most_common(5))
        notes.append(f"files of formats that are not read passed over: {counts}")
    for what, places in (
        ("still packed", contents.packed),
        ("a link to a file that is not there", list(contents.dangling.values())),
        ("a pipe or device", list(contents.specials.values())),
    ):
        if places:
            more = f" and {len(places) - 1:,} more" if places[1:] else ""
            notes.append(f"passed over, as {what}: '{places[0]}'{more}")
    return sorted(taken), notes


def _why_left(file: ImageFile, beside: set[tuple[tuple[str, ...], str]]) -> str | None:
    if not file.suffix:
        return "files without a suffix"
    if is_mask_folder(file.folders):
        return "pictures in folders of masks"
    derived = _DERIVED.fullmatch(key_of(file.stem))
    if derived and (file.folders, derived["name"]) in beside:
        return "masks and copies beside their photographs, by their names"
    return None


def find_repeated(classes: Mapping[Path, str]) -> tuple[set[Path], set[Path]]:
    """Find files of the same content; a photograph may lie in train and in test.

    Args:
        classes: Class of each file.

    Returns:
        Files that repeat another one of their class, and all files of which one of the same content
        lies in another class.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in classes:
        by_size[path.stat().st_size].append(path)
    alike = [path for paths in by_size.values() if len(paths) > 1 for path in paths]
    by_content: dict[str, list[Path]] = defaultdict(list)
    for path, content in zip(alike, content_hashes(alike), strict=True):
        if content is not None:
            by_content[content].append(path)
    repeated: set[Path] = set()
    torn: set[Path] = set()
    for paths in by_content.values():
        if len({classes[path] for path in paths}) > 1:
            torn.update(paths)
        else:
            repeated.update(paths[1:])
    return repeated, torn


def class_folders(
    folders: Sequence[tuple[str, ...]], splits: Collection[str], is_class: Callable[[str], bool]
) -> list[str | None]:
    """Find the folder of each file that names its class, below splits and folders around all.

    >>> places = [("data", "train", "nevus"), ("data", "test", "mel"), ("data", "test")]
    >>> class_folders(places, ["train", "test"], lambda name: name in ("mel", "nevus"))
    ['nevus', 'mel', None]
    """
    rest = list(folders)
    while True:
        kept = [one[1:] if one and key_of(one[0]) in splits else one for one in rest]
        outer = {one[0] for one in kept if one}
        if len(outer) == 1 and not is_class(*outer) and any(len(one) > 1 for one in kept):
            kept = [one[1:] for one in kept]
        if kept == rest:
            return [one[0] if one else None for one in rest]
        rest = kept
