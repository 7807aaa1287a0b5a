"""From an archive's columns of text to its `SourceTable`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.data.archive import ROW_SCHEMA, SourceTable
from melanoscope.data.identifiers import clean_ids
from melanoscope.data.sources.image_files import find_image_files
from melanoscope.data.sources.labels import complete_labels, parse_image_types
from melanoscope.data.strange_ids import describe_strange_ids
from melanoscope.data.vocabulary import translate_diagnoses, translate_malignancy
from melanoscope.data.words_in_rows import describe_words
from melanoscope.errors import DataError
from melanoscope.imaging.decode import SUFFIXES
from melanoscope.patient import MISSING, is_missing, parse_age, parse_sex, parse_site

_SHOWN = 5
_SUFFIX = f"(?i)({'|'.join(map(re.escape, sorted(SUFFIXES, reverse=True)))})$"


def source_table(
    kind: str,
    raw: pl.DataFrame,
    table: Path,
    *,
    folder: Path | None = None,
    dataset: str | None = None,
    image_type: str | None = None,
    notes: Sequence[str] = (),
    **more: Any,
) -> SourceTable:
    """Find the photographs of an archive's rows, and bring its text columns to `ROW_SCHEMA`.

    Args:
        kind: Name of the archive.
        raw: Columns as for `catalog_rows`; without a path, photographs are looked for by the column
            file, else by image_id.
        table: The archive's table.
        folder: Folder in and below which they are looked for. Default: that of `table`.
        dataset: Name in the catalog. Default: `kind`.
        image_type: How all photographs were taken, where no column says it.
        notes: What the user must read, one line each.
        **more: Further fields of the `SourceTable`.

    Returns:
        The archive's table, with notes about its photographs.
    """
    raw, repeated = _without_repeated(raw)
    _check_ids(raw, table)
    notes = (*notes, *repeated)
    if "path" not in raw.columns:
        names = raw.get_column("file", default=raw["image_id"])
        found = find_image_files(folder or table.parent, names)
        raw, notes = raw.with_columns(path=found.paths), (*notes, *found.notes)
    if more.get("id_space"):
        # Another table of the space may write the same id with the file's suffix, or without.
        raw = raw.with_columns(pl.col("image_id").str.replace(_SUFFIX, ""))
    rows = catalog_rows(raw, dataset or kind, table, image_type=image_type)
    for what in ("patient", "lesion"):
        if f"{what}_id" in raw.columns:
            named = rows[f"{what}_id"].is_not_null()
            written = raw[f"{what}_id"].cast(pl.String).str.strip_chars().filter(named)
            notes = (*notes, *describe_strange_ids(written, what))
    more.setdefault("origin", str(table.resolve()))
    return SourceTable(kind, rows, notes=tuple(notes), **more)


def _without_repeated(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Keep one of rows that are alike in every column that is read, and say so."""
    kept = raw.unique([name for name in raw.columns if name != "line"], maintain_order=True)
    n_left = raw.height - kept.height
    note = f"{n_left:,} rows stand in the table again, alike in every column that is read"
    return kept, [note] if n_left else []


def _check_ids(raw: pl.DataFrame, table: Path) -> None:
    """Refuse rows that name no photograph, and photographs that several rows name."""
    ids, lines = raw["image_id"], raw.get_column("line", default=None)
    missing = (ids.is_null() | ids.str.to_lowercase().is_in(sorted(MISSING))).arg_true()
    if len(missing):
        places = "" if lines is None else f" (line {lines[int(missing[0])]} first)"
        raise DataError(
            f"a photograph named in every row of '{table.name}'",
            f"{len(missing):,} without{places}",
            "name it, or remove the row",
        )
    repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True)
    if len(repeated):
        raise DataError(
            f"one row per image id in '{table.name}'",
            f"{len(repeated):,} named by several rows that differ: "
            f"{describe_words(ids, repeated.head(_SHOWN).to_list(), lines)}"
            + (", ..." if len(repeated) > _SHOWN else ""),
            "keep one row of each",
        )


def catalog_rows(
    raw: pl.DataFrame, dataset: str, table: Path, *, image_type: str | None = None
) -> pl.DataFrame:
    """Bring an archive's text columns to `ROW_SCHEMA`.

    Args:
        raw: Column image_id, and those of path, diagnosis, malignancy, sex, age, site, patient_id,
            lesion_id, center, image_type, license, target (0, 1 or null) and unlabelled (why a row
            cannot be labelled, or null) that the archive has.
        dataset: Name of the archive in the catalog.
        table: The archive's table, for errors.
        image_type: How all photographs were taken, where no column says it.

    Returns:
        The rows. What has a diagnosis and no malignancy takes that of the vocabulary; what has a
        malignancy and no diagnosis becomes "unknown benign" and the like.
    """
    empty = pl.repeat(None, raw.height, dtype=pl.String, eager=True)

    def column(name: str) -> pl.Series:
        return raw.get_column(name, default=empty)

    lines = raw.get_column("line", default=None)
    malignancy = translate_malignancy(
        column("malignancy"), f"the malignancies of '{table.name}'", lines
    )
    diagnosis = translate_diagnoses(column("diagnosis"), f"the diagnoses of '{table.name}'", lines)
    diagnosis, malignancy = complete_labels(diagnosis, malignancy)
    patient_id = clean_ids(column("patient_id"))
    types = parse_image_types(column("image_type"), table, lines)
    rows = {
        "image_id": raw["image_id"],
        "path": column("path"),
        "dataset": pl.repeat(dataset, raw.height, eager=True),
        "center": blank_to_null(column("center")),
        "patient_id": patient_id,
        "lesion_id": clean_ids(column("lesion_id"), within=patient_id),
        **patient_columns(column("sex"), column("age"), column("site"), table, lines),
        "diagnosis": diagnosis,
        "malignancy": malignancy,
        "target": column("target").cast(pl.Int8),
        "unlabelled": column("unlabelled"),
        "image_type": types if image_type is None else types.fill_null(image_type),
        "license": blank_to_null(column("license")),
    }
    return pl.DataFrame(rows).cast(pl.Schema(ROW_SCHEMA))


def patient_columns(
    sexes: pl.Series, ages: pl.Series, sites: pl.Series, path: Path, lines: pl.Series | None = None
) -> dict[str, pl.Series]:
    """Read an archive's words of patients as `melanoscope.patient` does.

    Args:
        sexes: Words for the sex.
        ages: Ages in years, as text.
        sites: Words for the anatomical site.
        path: The archive's table, for errors.
        lines: Line of each row, for errors.

    Returns:
        The columns sex, age and site; "unknown" and null where nothing is known.

    Raises:
        DataError: Words that nobody knows; names all of a column, and the lines they stand in.
    """
    return {
        "sex": _parsed(sexes, parse_sex, f"the sexes of '{path.name}'", pl.String(), lines),
        "age": _parsed(ages, parse_age, f"the ages of '{path.name}'", pl.Float64(), lines),
        "site": _parsed(sites, parse_site, f"the sites of '{path.name}'", pl.String(), lines),
    }


def _parsed(
    column: pl.Series,
    parse: Callable[[str | None], str | float | None],
    what: str,
    dtype: pl.DataType,
    lines: pl.Series | None,
) -> pl.Series:
    """Parse each distinct value of a column once; refuse all that cannot be read together."""
    text = column.cast(pl.String)
    values = text.unique(maintain_order=True)
    parsed: dict[str | None, str | float | None] = {}
    errors: dict[str | None, DataError] = {}
    for value in values:
        try:
            parsed[value] = parse(value)
        except DataError as error:
            errors[value] = error
    if errors:
        first = next(iter(errors.values()))
        places = describe_words(text, [value for value in errors if value is not None], lines)
        raise DataError(f"{first.expected} in {what}", places, first.mend)
    return text.replace_strict(
        values, pl.Series(list(parsed.values()), dtype=dtype), return_dtype=dtype
    )


def blank_to_null(column: pl.Series) -> pl.Series:
    """Turn marks for missing values into nulls.

    Args:
        column: Cells as text.

    Returns:
        The cells without surrounding blanks; null where nothing is known.

    >>> blank_to_null(pl.Series([" trunk", "NA", "-"])).to_list()
    ['trunk', None, None]
    """
    clean = column.cast(pl.String).str.strip_chars()
    missing = [word for word in clean.unique() if is_missing(word)]
    return clean.replace(missing, [None] * len(missing))
