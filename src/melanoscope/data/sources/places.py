"""Where an archive's table lies: in its folder, or in one of the folders that it is unpacked to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melanoscope.data.sources.image_files.same_content import has_same_content
from melanoscope.data.sources.text_table import find_table, matching_table
from melanoscope.errors import DataError

_OPEN = "allow it to be read, or name the table's own folder"


def find_table_below(folder: str | Path, names: Sequence[str], kind: str, levels: int = 2) -> Path:
    """Return the one of the tables `names` that lies in a folder or, some `levels`, below it.

    Args:
        folder: Folder of the archive.
        names: The table's names, the preferred one first.
        kind: Name of the archive, for errors.
        levels: How many levels of folders are searched below `folder`.

    Returns:
        The table that lies nearest.

    Raises:
        DataError: No such folder, no such table in it, or two of different content at one level.
    """
    places, closed = [Path(folder)], list[Path]()
    for _ in range(levels + 1):
        found = [table for place in places if (table := _table_in(place, names, closed))]
        others = [table for table in found if not has_same_content(str(table), str(found[0]))]
        if others:
            raise DataError(
                f"one table of {kind} in '{folder}'",
                f"'{found[0]}' and '{others[0]}' of different content",
                "name the folder of the one that is meant",
            )
        if found:
            return found[0]
        places = [below for place in places for below in folders_in(place)]
    try:
        return find_table(folder, names, kind)
    except DataError as error:
        if not closed:
            raise
        raise DataError(error.expected, f"{error.found}{said_closed(closed)}", _OPEN) from None


def _table_in(place: Path, names: Sequence[str], closed: list[Path]) -> Path | None:
    try:
        return matching_table(place, names) if place.is_dir() else None
    except OSError:
        closed.append(place)
        return None


def said_closed(closed: Sequence[Path]) -> str:
    """Return the clause that names the first folder that could not be looked into, if any."""
    more = f" and {len(closed) - 1} more" if closed[1:] else ""
    return f", and the folder '{closed[0]}'{more} may not be entered" if closed else ""


def refuse_unnamed(path: str | Path, option: str) -> None:
    """Refuse a path that is no text: no table, page or record could name what lies there.

    Args:
        path: Path that was given.
        option: Where it was given, such as "--data".

    Raises:
        DataError: The path holds bytes that are not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataError(
            f"a path in UTF-8 for {option}", f"'{path}'", "rename the folder, or link to it"
        ) from None


def folders_in(place: Path) -> list[Path]:
    """Return the folders in a folder, hidden ones left out, none where it may not be entered."""
    try:
        return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []
