"""Anybody's own photographs: a table beside them, whatever program saved it.

Each row names a photograph (``path``, relative to the table's folder, or ``image_id``) and has a
``target`` (0 or 1), a ``diagnosis`` or a ``malignancy``. Further columns are optional. A column of
another name is read if ``--columns`` says so, or if its name is common; what is not read is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources.labels import parse_targets
from melanoscope.data.sources.places import folders_in, said_closed
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import TextTable, read_table
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError, nearest, one_line
from melanoscope.tables.common_names import PATH_NAMES, PATIENT_NAMES
from melanoscope.tables.dialect import plain

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

_LABELS = ("target", "diagnosis", "malignancy")

_SUFFIXES = {".csv", ".tsv", ".tab", ".xlsx", ".xls", ".ods", ".gz"}
_NEARLY = {".txt", ".zip", ".json", ".jsonl", ".parquet", ".pkl", ".sav", ".rds", ".sqlite", ".db"}
_LEVELS = 3  # of folders in which the table is looked for


def read(path: str | Path, options: ReadOptions | None = None) -> SourceTable:
    """Read a table, or the only one in a folder, at `path`, and look for each file it names."""
    table = _find_table(Path(path))
    columns = _column_names(dict(options.columns) if options else {})
    text = read_table(table, {}, columns, say_unread=True)
    _check_columns(text, table, dict(options.columns) if options else {})
    raw = text.frame.with_columns(
        pl.coalesce("image_id", "path"),
        file=pl.coalesce("path", "image_id"),
        target=parse_targets(
            text.frame["target"],
            table,
            text.frame["line"],
            "correct the column, or say --columns diagnosis=NAME if it names diagnoses",
        ),
    ).drop("path")
    source = source_table(
        "table",
        raw,
        table,
        folder=Path(path) if Path(path).is_dir() else None,
        dataset=f"table:{one_line(table.name.split('.')[0])}",
        notes=(*_found_below(Path(path), table), *text.notes, *_read_as(text)),
    )
    return replace(source, rows=lesions_within_patients(source.rows))


def parse_columns(
    text: str | None, known_names: Mapping[str, Sequence[str]] = COLUMNS
) -> tuple[tuple[str, str], ...]:
    """Parse the option ``--columns``.

    Args:
        text: ``ours=theirs,ours=theirs``, as in "path=filename,target=label".
        known_names: Our names, each with others that mean the same.

    Returns:
        Pairs of our name and the table's.

    Raises:
        DataError: No "=", an unknown name before it, or a name or a column that stands twice.

    >>> parse_columns("image=filename, target=label")
    (('path', 'filename'), ('target', 'label'))
    """
    pairs: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        name = next((name for name, known in known_names.items() if ours.lower() in known), None)
        if not equals or not theirs or name is None or name in pairs:
            raise DataError(
                "--columns NAME=COLUMN,NAME=COLUMN, each name once",
                f"'{part.strip()}'" + (f" beside '{name}={pairs[name]}'" if name in pairs else ""),
                nearest(ours, list(known_names)),
            )
        if theirs.casefold() in {column.casefold() for column in pairs.values()}:
            raise DataError(
                "--columns NAME=COLUMN,NAME=COLUMN, each column once",
                f"'{theirs}' twice",
                "name another column, or leave one out",
            )
        pairs[name] = theirs
    return tuple(pairs.items())


def _check_columns(text: TextTable, table: Path, given: Mapping[str, str]) -> None:
    """Refuse a table that lacks what must be there, or of which two columns say what one should."""
    there = [column for column in text.columns if column]
    for name, column in given.items():
        if name not in text.names:
            raise DataError(
                f"a column '{column}' in '{table}', as --columns {name}={column} says",
                "none so named",
                nearest(column, there),
            )
    for needed in (("path", "image_id"), _LABELS):
        if not set(needed) & set(text.names):
            names = " or ".join(f"'{name}'" for name in needed)
            sheet = next((f" ({note})" for note in text.notes if "the sheet" in note), "")
            raise DataError(
                f"a column {names} in '{table}'",
                f"only {abbreviate((repr(column) for column in there), 20)}",
                f"say --columns {needed[0]}=NAME for the one that it is{sheet}",
            )
    for name in _LABELS:
        found = [column for column in there if plain(column) in COLUMNS[name]]
        if name not in given and len(found) > 1:
            raise DataError(
                f"one column for the {name} in '{table}'",
                f"{' and '.join(repr(column) for column in found)}",
                f"say --columns {name}=NAME for the one that counts",
            )


def _column_names(given: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the names to look for; what ``--columns`` gives is no name of another column."""
    taken = {plain(name) for name in given.values()}
    names: dict[str, Sequence[str]] = {}
    for ours, common in COLUMNS.items():
        free = [name for name in common if name not in taken]
        names[ours] = [given[ours]] if ours in given else free
    return names


def _read_as(text: TextTable) -> list[str]:
    """Say which column of another name is read as what, and what else might have been meant."""
    notes = [
        f"column '{theirs}' is read as {ours}"
        for ours, theirs in text.names.items()
        if plain(theirs) != ours
    ]
    for ours, theirs in text.names.items():
        others = [c for c in text.columns if plain(c) in COLUMNS[ours] and c != theirs]
        if others := [c for c in others if c not in text.names.values()]:
            said = " and ".join(f"'{column}'" for column in others)
            notes.append(
                f"{said} may be the {ours} too; '{theirs}' is read; --columns {ours}=NAME chooses"
            )
    words = text.frame["target"].str.to_lowercase().unique()
    if words.is_in(["benign", "malignant"]).any():
        column = text.names["target"]
        notes.append(
            f"'malignant' in the column '{column}' counts as positive and 'benign' as negative, "
            f"whatever --target asks; --columns malignancy={column} reads them as malignancy"
        )
    return notes


def _find_table(path: Path) -> Path:
    """Return the table at `path`, or the only one of the nearest folder below that has any."""
    if path.is_file():
        return path
    places, candidates, closed = [path], list[Path](), list[Path]()
    for _ in range(_LEVELS):
        candidates = [table for place in places for table in _tables_in(place)]
        if candidates:
            break
        below = [folder for place in places for folder in folders_in(place)]
        places = [folder for folder in below if os.access(folder, os.R_OK | os.X_OK)]
        closed += [folder for folder in below if folder not in places]
    if len(candidates) != 1:
        shown = [str(table.relative_to(path)) for table in candidates]
        if path.is_dir() and not candidates:
            nearly = sorted(f.name for f in path.iterdir() if f.suffix.lower() in _NEARLY)
            shown = [f"there lies {', '.join(nearly[:5])}"] if nearly else []
        names = ", ".join(shown[:5])
        raise DataError(
            f"a table, or a folder with one, at '{path}'",
            f"{len(candidates)} tables" * path.is_dir()
            + f" ({names})" * bool(names)
            + said_closed(closed)
            or "nothing there",
            "name the table itself",
        )
    return candidates[0]


def _found_below(path: Path, table: Path) -> list[str]:
    below = path.is_dir() and table.parent != path
    return [f"the only table in that folder is '{table.relative_to(path)}'"] if below else []


def _tables_in(place: Path) -> list[Path]:
    return [
        file
        for file in (sorted(place.iterdir()) if place.is_dir() else ())
        if file.suffix.lower() in _SUFFIXES
        and not file.name.startswith((".", "~$"))
        and file.is_file()
    ]


ARCHIVE = Archive(
    kind="table",
    title="Own table",
    license="as the table's owner says",
    attribution="the table's owner",
    read=read,
    layout="a table (CSV in any dialect, .xlsx) or a folder with one, photographs beside it",
    columns=tuple(COLUMNS),
)
