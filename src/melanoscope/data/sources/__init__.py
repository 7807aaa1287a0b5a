"""The archives that melanoscope reads: ``--data KIND=PATH``, one module each.

To add an archive:

1. Write a module here, such as `ham10000`: a mapping from columns of
   `melanoscope.data.archive.ROW_SCHEMA` to columns of the archive's table, a function
   ``read(folder, options) -> SourceTable`` that calls `text_table.read_table` and
   `rows.source_table`, and an `ARCHIVE` with its name, terms, columns, leaks and reader.
2. Name that `ARCHIVE` in `ARCHIVES` below.
3. Add words that no other archive uses to ``diagnoses.json`` and ``patient_words.json``.
4. Draw it in its published layout in ``tests/data/drawn_archives.py``: an entry of `DRAWN` takes it
   through reading, summary, folds and a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import IMAGE_TYPES, Archive, ReadOptions, SourceTable
from melanoscope.data.sources import (
    bcn20000,
    class_folders,
    ddi,
    derm7pt,
    fitzpatrick17k,
    ham10000,
    isic,
    isic2018,
    isic2019,
    isic2020,
    isic2024,
    milk10k,
    own_csv,
    pad_ufes_20,
    ph2,
    simulated,
)
from melanoscope.data.sources.places import refuse_unnamed
from melanoscope.data.sources.text_table import matching_table
from melanoscope.errors import DataError, nearest
from melanoscope.machine_faults import raise_machine_fault
from melanoscope.tables.table_file import open_table

ARCHIVES: dict[str, Archive] = {
    archive.kind: archive
    for archive in (
        isic2020.ARCHIVE,
        isic2019.ARCHIVE,
        isic2019.MELANOMAS,
        ham10000.ARCHIVE,
        pad_ufes_20.ARCHIVE,
        milk10k.ARCHIVE,
        isic2024.ARCHIVE,
        isic.ARCHIVE,
        isic2018.ARCHIVE,
        bcn20000.ARCHIVE,
        ph2.ARCHIVE,
        derm7pt.ARCHIVE,
        ddi.ARCHIVE,
        fitzpatrick17k.ARCHIVE,
        class_folders.ARCHIVE,
        own_csv.ARCHIVE,
        simulated.ARCHIVE,
    )
}
"""Every archive by its name on the command line."""


@dataclass(frozen=True)
class DataSpec:
    """One ``KIND=PATH`` of the command line, "simulated=600"; `kind` is a key of `ARCHIVES`."""

    kind: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}={self.path}"

    @property
    def archive(self) -> Archive:
        """The archive that `kind` names."""
        return ARCHIVES[self.kind]

    def read(self, options: ReadOptions) -> SourceTable:
        """Read the archive's table; simulated photographs are drawn into the cache.

        Args:
            options: What the user says of all tables.

        Returns:
            The archive's rows.

        Raises:
            DataError: The archive is not what it should be.
        """
        try:
            return self.archive.read(self.path, options)
        except OSError as error:
            raise_machine_fault(error)
            raise _unreadable(f"files of {self.kind}", self.path, error) from None


def parse_spec(text: str) -> DataSpec:
    """Parse ``KIND=PATH``.

    Args:
        text: Value of the option ``--data``.

    Returns:
        The archive's name and path.

    Raises:
        DataError: No "=", an unknown kind (with the nearest), or an empty path.

    Example:
        >>> parse_spec("simulated=600")
        DataSpec(kind='simulated', path='600')
    """
    kind, equals, path = text.partition("=")
    if kind not in ARCHIVES:
        raise DataError(
            "KIND=PATH of a known kind", f"'{text}'", nearest(kind.lower(), sorted(ARCHIVES))
        )
    if not equals or not path:
        raise DataError(f"{kind}=PATH", f"'{text}'", "name the archive's folder behind '='")
    # zsh leaves "~" behind "=" as it stands.
    return DataSpec(kind, str(Path(path).expanduser()) if path.startswith("~") else path)


def find_archives(folder: Path) -> list[DataSpec]:
    """Recognise the archives in a folder and in its subfolders by their tables.

    Args:
        folder: Folder that is an archive or holds several.

    Returns:
        The archives found, in the order of `ARCHIVES`.

    Raises:
        DataError: No such folder, or no archive in it.
    """
    if not folder.is_dir():
        raise DataError("a folder of archives", f"no folder at '{folder}'", "check the path")
    try:
        below = sorted(place for place in folder.iterdir() if place.is_dir())
    except OSError as error:
        raise _unreadable("a folder of archives", str(folder), error) from None
    # Below an archive lie its photographs, sometimes with a table of their own.
    places = [folder] if any(_is_in(one, folder) for one in ARCHIVES.values()) else below
    specs = [
        DataSpec(kind, str(place))
        for kind, archive in ARCHIVES.items()
        for place in places
        if _is_in(archive, place)
    ]
    if not specs:
        names = sorted({name for archive in ARCHIVES.values() for name in archive.table_names})
        raise DataError(
            f"an archive's table in '{folder}' or just below it",
            f"none of {', '.join(names)}",
            "name the archives one by one with --data KIND=PATH",
        )
    return specs


def read_sources(specs: Sequence[DataSpec], options: ReadOptions) -> list[SourceTable]:
    """Read the tables of several archives.

    Args:
        specs: Archives named on the command line.
        options: What holds for all of them.

    Returns:
        One table per archive, in the order of `specs`.

    Raises:
        DataError: No archive, or one that is not what it should be, a path that is no text, or
            names of columns for none.

    >>> import tempfile
    >>> cache = Path(tempfile.mkdtemp())
    >>> [table] = read_sources([parse_spec("simulated=3")], ReadOptions(cache))
    >>> table.rows["image_id"].to_list()
    ['SIM_0000000', 'SIM_0000001', 'SIM_0000002']
    """
    if not specs:
        raise DataError(
            "at least one --data KIND=PATH", "none", "known kinds: " + ", ".join(ARCHIVES)
        )
    if options.columns and all(spec.kind != own_csv.ARCHIVE.kind for spec in specs):
        raise DataError("--columns beside --data table=PATH", "no own table", "leave --columns out")
    for spec in specs:
        refuse_unnamed(spec.path, f"--data {spec.kind}=PATH")
    return [_of_types(spec.read(options), options.image_types) for spec in specs]


def parse_image_type(text: str | None) -> tuple[str, ...]:
    """Parse the option ``--image-type``.

    Args:
        text: Words of `IMAGE_TYPES` in any case, separated by commas; None or blank: no choice.

    Returns:
        The types that are wanted, each once; empty: all.

    Raises:
        DataError: Another word.

    >>> parse_image_type("dermoscopic, tbp tile")
    ('dermoscopic', 'TBP tile')
    """
    known = {kind.lower(): kind for kind in IMAGE_TYPES} | {"dermoscopy": "dermoscopic"}
    words = [word.strip().lower() for word in (text or "").split(",") if word.strip()]
    if wrong := [word for word in words if word not in known]:
        raise DataError(
            f"--image-type {', '.join(IMAGE_TYPES)}", f"'{wrong[0]}'", nearest(wrong[0], [*known])
        )
    return tuple(dict.fromkeys(known[word] for word in words))


def _unreadable(what: str, place: str, error: OSError) -> DataError:
    """Say that the system lets nobody read a folder or file, and which."""
    return DataError(
        f"{what} that can be read at '{place}'",
        f"{(error.strerror or type(error).__name__).lower()} ('{error.filename or place}')",
        "allow it, or name another folder",
    )


def _of_types(table: SourceTable, image_types: tuple[str, ...]) -> SourceTable:
    if not image_types:
        return table
    wanted = pl.col("image_type").is_in(list(image_types)) | pl.col("image_type").is_null()
    rows = table.rows.filter(wanted)
    n_others = table.rows.height - rows.height
    if not n_others:
        return table
    if rows.is_empty():
        others = table.rows["image_type"].drop_nulls().unique().sort()
        raise DataError(
            f"photographs of {table.kind} that are {' or '.join(image_types)}",
            f"none: all {n_others:,} are {' or '.join(others)}",
            "leave the archive out or ask for another --image-type",
        )
    note = f"{n_others:,} photographs that are not {' or '.join(image_types)} were left out"
    return replace(table, rows=rows, notes=(*table.notes, note))


def _is_in(archive: Archive, place: Path) -> bool:
    table = matching_table(place, archive.table_names) if archive.table_names else None
    if table is None or not archive.header:
        return table is not None
    try:
        columns = {column.lower() for column in open_table(table, archive.header).columns}
    except DataError:
        return False
    return columns >= set(archive.header)
