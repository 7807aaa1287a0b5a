"""Anybody's own photographs: a table beside them, whatever program saved it.

Each row names a photograph (``path``, relative to the table's folder, or ``image_id``) and has a
``target`` (0 or 1), a ``diagnosis`` or a ``malignancy``. Further columns are optional. A column of
another name is read if ``--columns`` says so, or if its name is common; what is not read is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources.labels import parse_targets
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import TextTable, read_table
from melanoscope.errors import DataError, nearest
from melanoscope.tables.common_names import PATH_NAMES, PATIENT_NAMES

COLUMNS: dict[str, tuple[str, ...]] = {
    "path": PATH_NAMES,
    "image_id": ("image_id", "isic_id", "img_id"),
    "target": ("target", "label"),
    "diagnosis": ("diagnosis", "dx", "diagnostic"),
    "malignancy": ("malignancy", "benign_malignant", "malignant"),
    "patient_id": ("patient_id",),
    "lesion_id": ("lesion_id",),
    **PATIENT_NAMES,
    "center": ("center", "centre"),
    "image_type": ("image_type",),
    "license": ("license", "licence", "copyright_license"),
}
"""Our name of a column -> names under which it is read, the first one ours."""

_SUFFIXES = {".csv", ".tsv", ".tab", ".xlsx", ".gz"}


def read(path: str | Path, options: ReadOptions | None = None) -> SourceTable:
    """Read a table, or the only one in a folder, at `path`, and look for each file it names."""
    table = _find_table(Path(path))
    columns = _column_names(dict(options.columns) if options else {})
    # Either of the two names photographs.
    text = read_table(table, {}, columns, say_unread=True)
    if not {"path", "image_id"} & set(text.names):
        raise DataError(
            f"a column 'path' or 'image_id' in '{table}'",
            f"none so named ({nearest('path', [c for c in text.columns if c])})",
            "say --columns path=NAME",
        )
    raw = text.frame.with_columns(
        pl.coalesce("image_id", "path"),
        file=pl.coalesce("path", "image_id"),
        target=parse_targets(text.frame["target"], table),
    ).drop("path")
    source = source_table(
        "table",
        raw,
        table,
        dataset=f"table:{table.name.split('.')[0]}",
        notes=(*text.notes, *_read_as(text)),
    )
    return replace(source, rows=lesions_within_patients(source.rows))


def parse_columns(text: str | None) -> tuple[tuple[str, str], ...]:
    """Parse the option ``--columns``.

    Args:
        text: ``ours=theirs,ours=theirs``, as in "path=filename,target=label".

    Returns:
        Pairs of our name and the table's.

    Raises:
        DataError: No "=", an unknown name before it, or one that stands twice.

    >>> parse_columns("image=filename, target=label")
    (('path', 'filename'), ('target', 'label'))
    """
    pairs: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        name = next((name for name, known in COLUMNS.items() if ours.lower() in known), None)
        if not equals or not theirs or name is None or name in pairs:
            raise DataError(
                "--columns NAME=COLUMN,NAME=COLUMN, each name once",
                f"'{part.strip()}'",
                nearest(ours, list(COLUMNS)),
            )
        pairs[name] = theirs
    return tuple(pairs.items())


def _column_names(given: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the names to look for; what ``--columns`` gives is no name of another column."""
    taken = {name.lower() for name in given.values()}
    names: dict[str, Sequence[str]] = {}
    for ours, common in COLUMNS.items():
        free = [name for name in common if name not in taken]
        names[ours] = [given[ours]] if ours in given else free
    return names


def _read_as(text: TextTable) -> list[str]:
    """Say which column of another name is read as what."""
    return [
        f"column '{theirs}' is read as {ours}"
        for ours, theirs in text.names.items()
        if theirs.lower() != ours
    ]


def _find_table(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted(path.iterdir()) if path.is_dir() else []
    candidates = [
        file
        for file in found
        if file.suffix.lower() in _SUFFIXES and not file.name.startswith((".", "~$"))
    ]
    if len(candidates) != 1:
        names = f" ({', '.join(file.name for file in candidates[:5])})" if candidates else ""
        raise DataError(
            f"a table, or a folder with one, at '{path}'",
            f"{len(candidates)} tables{names}" if path.is_dir() else "nothing there",
            "name the table itself",
        )
    return candidates[0]


ARCHIVE = Archive(
    kind="table",
    title="Own table",
    license="as the table's owner says",
    attribution="the table's owner",
    read=read,
    layout="a table (CSV in any dialect, .xlsx) or a folder with one, photographs beside it",
    columns=tuple(COLUMNS),
)
