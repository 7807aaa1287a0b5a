"""Where an archive's table lies: in its folder, or in one of the folders that it is unpacked to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melanoscope.data.sources.text_table import find_table, matching_table


def find_table_below(folder: str | Path, names: Sequence[str], kind: str, levels: int = 2) -> Path:
    """Return the first of the tables `names` in a folder or, at most so many `levels`, below it.

    Args:
        folder: Folder of the archive.
        names: The table's names, the preferred one first.
        kind: Name of the archive, for errors.
        levels: How many levels of folders are searched below `folder`.

    Returns:
        The table that lies nearest.

    Raises:
        DataError: No such folder, or no such table in it.
    """
    places = [Path(folder)]
    for _ in range(levels + 1):
        for place in places:
            if place.is_dir() and (found := matching_table(place, names)):
                return found
        places = [below for place in places for below in _folders(place)]
    return find_table(folder, names, kind)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []
