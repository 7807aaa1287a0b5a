"""The archives melanoscope reads: ``--data KIND=PATH``, one module each.

A new archive is a new module with `TITLE`, `LICENCE`, `ATTRIBUTION` and a reader, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import ham10000, isic2019, isic2020, own_csv, pad_ufes_20, simulated
from melanoscope.errors import DataError, nearest


@dataclass(frozen=True)
class Archive:
    """An archive's reader, its name for people, and the terms its photographs come under.

    Attributes:
        read: Takes what stands behind KIND= and the cache's folder.
        marks: Names of which one lies in the archive's folder, to recognise it by.
    """

    read: Callable[[str, Path], SourceTable]
    title: str
    licence: str
    attribution: str
    marks: tuple[str, ...] = ()


def _on_disk(read: Callable[[Path], SourceTable]) -> Callable[[str, Path], SourceTable]:
    """Adapt a reader of files that are already there, which needs no cache."""

    def reader(path: str, _cache: Path) -> SourceTable:
        return read(Path(path))

    return reader


ARCHIVES: dict[str, Archive] = {
    "isic2020": Archive(
        _on_disk(isic2020.read),
        isic2020.TITLE,
        isic2020.LICENCE,
        isic2020.ATTRIBUTION,
        isic2020.TABLES[:2],
    ),
    "isic2019": Archive(
        _on_disk(isic2019.read),
        isic2019.TITLE,
        isic2019.LICENCE,
        isic2019.ATTRIBUTION,
        (isic2019.LABELS,),
    ),
    "isic2019-melanoma": Archive(
        _on_disk(isic2019.read_melanomas),
        f"{isic2019.TITLE}, melanomas only",
        isic2019.LICENCE,
        isic2019.ATTRIBUTION,
    ),
    "ham10000": Archive(
        _on_disk(ham10000.read),
        ham10000.TITLE,
        ham10000.LICENCE,
        ham10000.ATTRIBUTION,
        ham10000.TABLES,
    ),
    "pad-ufes-20": Archive(
        _on_disk(pad_ufes_20.read),
        pad_ufes_20.TITLE,
        pad_ufes_20.LICENCE,
        pad_ufes_20.ATTRIBUTION,
        pad_ufes_20.TABLES,
    ),
    "table": Archive(_on_disk(own_csv.read), own_csv.TITLE, own_csv.LICENCE, own_csv.ATTRIBUTION),
    "simulated": Archive(
        simulated.read_source, simulated.TITLE, simulated.LICENCE, simulated.ATTRIBUTION
    ),
}


@dataclass(frozen=True)
class DataSpec:
    """One ``KIND=PATH`` of the command line."""

    kind: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}={self.path}"

    @property
    def archive(self) -> Archive:
        """The archive this names."""
        return ARCHIVES[self.kind]

    def read(self, cache: Path) -> SourceTable:
        """Read the archive's table; simulated photographs are drawn into the cache."""
        return self.archive.read(self.path, cache)


def parse_spec(text: str) -> DataSpec:
    """Parse ``KIND=PATH``.

    >>> parse_spec("simulated=600")
    DataSpec(kind='simulated', path='600')

    Raises:
        DataError: No "=", an unknown kind (with the nearest), or an empty path.
    """
    kind, sign, path = text.partition("=")
    if kind not in ARCHIVES:
        raise DataError("KIND=PATH of a known kind", f"'{text}'", nearest(kind, sorted(ARCHIVES)))
    if not sign or not path:
        raise DataError(f"{kind}=PATH", f"'{text}'", "name the archive's folder behind '='")
    return DataSpec(kind, path)


def find_archives(folder: Path) -> list[DataSpec]:
    """Recognise the archives in a folder and in its subfolders by their tables.

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
        if any((place / mark).is_file() for mark in archive.marks)
    ]
    if not specs:
        marks = sorted({mark for archive in ARCHIVES.values() for mark in archive.marks})
        raise DataError(
            f"an archive's table in '{folder}' or just below it",
            f"none of {', '.join(marks)}",
            "name the archives one by one with --data KIND=PATH",
        )
    return specs


def read_sources(specs: Sequence[DataSpec], cache: Path) -> list[SourceTable]:
    """Read the tables of all archives named on the command line."""
    if not specs:
        raise DataError(
            "at least one --data KIND=PATH", "none", "known kinds: " + ", ".join(ARCHIVES)
        )
    return [spec.read(cache) for spec in specs]
