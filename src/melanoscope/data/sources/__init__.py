"""The archives that melanoscope reads: ``--data KIND=PATH``, one module each.

To add an archive:

1. Write a module here, such as `ham10000`: a mapping from columns of
   `melanoscope.data.archive.ROW_SCHEMA` to columns of the archive's table, a function
   ``read(folder) -> SourceTable`` that calls `text_table.read_table` and `rows.source_table`,
   and an `ARCHIVE` with its name, terms and reader.
2. Name that `ARCHIVE` in `ARCHIVES` below.
3. Add words that no other archive uses to ``diagnosis_words.json`` and ``patient_words.json``.
4. Write a small table with the archive's published header in ``tests/data/archives.py`` and read it
   in ``tests/data/test_sources.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources import ham10000, isic2019, isic2020, own_csv, pad_ufes_20, simulated
from melanoscope.errors import DataError, nearest

ARCHIVES: dict[str, Archive] = {
    archive.kind: archive
    for archive in (
        isic2020.ARCHIVE,
        isic2019.ARCHIVE,
        isic2019.MELANOMAS,
        ham10000.ARCHIVE,
        pad_ufes_20.ARCHIVE,
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
        """Read the archive's table; simulated photographs are drawn into the cache."""
        return self.archive.read(self.path, options)


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
        raise DataError("KIND=PATH of a known kind", f"'{text}'", nearest(kind, sorted(ARCHIVES)))
    if not equals or not path:
        raise DataError(f"{kind}=PATH", f"'{text}'", "name the archive's folder behind '='")
    return DataSpec(kind, path)


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
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    specs = [
        DataSpec(kind, str(place))
        for kind, archive in ARCHIVES.items()
        for place in places
        if any((place / name).is_file() for name in archive.table_names)
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
        DataError: No archive, or one that is not what it should be.
    """
    if not specs:
        raise DataError(
            "at least one --data KIND=PATH", "none", "known kinds: " + ", ".join(ARCHIVES)
        )
    return [spec.read(options) for spec in specs]
