"""What describes an archive: how it is read, how it is recognised, and under which terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from melanoscope.data.catalog import SourceTable


@dataclass(frozen=True)
class Archive:
    """One archive of photographs, as an entry of `melanoscope.data.sources.ARCHIVES`.

    Attributes:
        kind: Name on the command line, as in ``--data KIND=PATH``.
        title: Name for people.
        license: Terms of the photographs, as reports and model cards print them.
        attribution: Whom to cite.
        read: Reads what stands behind ``KIND=``; files that it makes go into a folder.
        table_names: Tables by which the archive is recognised in a folder; empty: never.
    """

    kind: str
    title: str
    license: str
    attribution: str
    read: Callable[[str, Path], SourceTable]
    table_names: tuple[str, ...] = ()


def reader_of_files(read: Callable[[Path], SourceTable]) -> Callable[[str, Path], SourceTable]:
    """Make an `Archive.read` of a `read` whose files are all there, so that it needs no cache."""

    def read_without_cache(path: str, _cache: Path) -> SourceTable:
        return read(Path(path))

    return read_without_cache
