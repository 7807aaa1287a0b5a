"""Photographs of a table's rows: each row looks for its file, and what is absent says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from melanoscope.data.archive import SourceTable
from melanoscope.data.sources.image_files.absent import explain_absence, explain_folders
from melanoscope.data.sources.image_files.choose import Choice
from melanoscope.data.sources.image_files.folder_walk import walk_folder
from melanoscope.data.sources.image_files.lookup import (
    Lookup,
    match_names,
    match_written_paths,
    share_files,
)
from melanoscope.data.sources.image_files.names import split_row_name
from melanoscope.errors import DataError
from melanoscope.imaging.whole_picture import is_mask

_MAX_LISTED = 3
_N_TRIED = 8


@dataclass(frozen=True)
class ImageFiles:
    """The files found for a table's rows.

    Attributes:
        paths: Each row's file, null where it is absent.
        notes: What the user should know, a sentence each: files left, causes of absence.
    """

    paths: pl.Series
    notes: tuple[str, ...]

    @property
    def found(self) -> int:
        """Number of rows with a file."""
        return len(self.paths) - self.paths.null_count()

    @property
    def absent(self) -> int:
        """Number of rows without a file."""
        return self.paths.null_count()


def find_image_files(folder: str | Path, names: pl.Series) -> ImageFiles:
    """Find the photograph of each row of a table; files that no row names are passed over.

    Args:
        folder: Folder in which, and below which, photographs are looked for.
        names: What each row writes of its photograph: an id, a file's name, or a path, with or
            without suffix, in any case, from this machine or another; null or blank: nothing.

    Returns:
        The files, and notes about what was left or is absent.

    Raises:
        DataError: Two files of different content bear one row's name.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> (place / "ISIC_1.JPG").touch()
        >>> found = find_image_files(place, pl.Series(["ISIC_1", "ISIC_2"]))
        >>> found.found, found.absent
        (1, 1)
    """
    root = str(folder)
    distinct = names.drop_nulls().unique(maintain_order=True)
    rows = {name: row for name in distinct if (row := split_row_name(name)).key}
    found = match_written_paths(root, rows)
    others = {name: row for name, row in rows.items() if name not in found}
    notes: list[str] = []
    # A table that writes whole paths may lie above a whole disk: that is walked only if need be.
    if others:
        contents, choice = walk_folder(root), Choice(root)
        lookup = match_names(contents, others, choice)
        choice.refuse()
        lookup.found |= found
        share_files(lookup)
        found = lookup.found
        absent = {row.key: row.stem for name, row in others.items() if name not in found}
        taken = {rows[name].key for name in found}
        notes = [*choice.sentences(), *_lookup_notes(lookup), *explain_folders(contents)]
        if absent:
            notes += explain_absence(contents, absent, taken)
    notes += _masks_alone([match.path for match in found.values()])
    old, new = list(found), [match.path for match in found.values()]
    paths = names.replace_strict(old, new, default=None, return_dtype=pl.String)
    return ImageFiles(paths, tuple(notes))


def refuse_without_files(tables: Sequence[SourceTable]) -> None:
    """Raise a `DataError` if not one photograph of the tables' rows was found.

    Args:
        tables: Tables of all archives.

    Raises:
        DataError: No row of any table has a file; the text names the likely causes.
    """
    if any(table.rows["path"].count() for table in tables):
        return
    n_rows = sum(table.rows.height for table in tables)
    notes = [note for table in tables for note in table.notes][:_MAX_LISTED]
    raise DataError(
        "photographs of the tables' rows beside or below the tables",
        f"none of {n_rows:,}" + "".join(f"; {note}" for note in notes),
        "put the photographs there, or name the folder that holds table and photographs",
    )


def _masks_alone(paths: Sequence[str]) -> list[str]:
    """Say so where files of the rows' names are there and every one that is tried is a mask."""
    tried = paths[:: max(1, len(paths) // _N_TRIED)]
    if not tried or not all(is_mask(Path(path)) for path in tried):
        return []
    looked = f"each of {len(tried)} tried; first: '{tried[0]}'"
    return [f"the rows' files look like masks ({looked}): are the photographs elsewhere?"]


def _lookup_notes(lookup: Lookup) -> list[str]:
    notes = []
    loose = [name for name, match in lookup.found.items() if match.by_name_alone]
    if loose:
        notes.append(
            f"{len(loose):,} rows name a folder that is not here; their photographs were found by "
            f"file name alone (first: '{loose[0]}' at '{lookup.found[loose[0]].path}')"
        )
    if lookup.elsewhere:
        notes.append(
            f"{len(lookup.elsewhere):,} rows name a folder that lacks their photograph; one of "
            f"the same name elsewhere was not taken (first: '{lookup.elsewhere[0]}')"
        )
    if lookup.shared:
        names = ", ".join(f"'{name}'" for name in sorted(lookup.shared)[:_MAX_LISTED])
        notes.append(
            f"{len(lookup.shared):,} rows would share a file with another row that names it as "
            f"well or better, and were left without ({names})"
        )
    return notes
