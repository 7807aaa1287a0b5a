"""What every archive's reader needs: its table as text, its folder as names of photographs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from melanoscope.errors import DataError, nearest
from melanoscope.imaging.decode import SUFFIXES
from melanoscope.patient import parse_age, parse_sex, parse_site


def find_table(folder: Path, names: Sequence[str], kind: str) -> Path:
    """Return the first of the named tables that the folder holds.

    Raises:
        DataError: No such folder, or none of the tables in it.
    """
    if not folder.is_dir():
        raise DataError(f"the folder of {kind}", f"no folder at '{folder}'", "check the path")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{' or '.join(names)} in '{folder}'",
        "neither" if len(names) > 1 else "no such file",
        f"put the table of {kind} beside its photographs",
    )


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
    """Read a CSV as text; optional columns that are missing come as nulls.

    Raises:
        DataError: Not a CSV, or a needed column is missing (names it and the nearest found).
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"a CSV table at '{path}'", reason, "check the file") from None
    for column in needed:
        if column not in frame.columns:
            raise DataError(
                f"a column '{column}' in '{path}'",
                f"none so named ({nearest(column, frame.columns)})",
                "rename or add it",
            )
    missing = [pl.lit(None, pl.String).alias(c) for c in optional if c not in frame.columns]
    return frame.with_columns(missing)


def index_photographs(folder: Path) -> dict[str, str]:
    """Map the stem of each photograph below a folder to its path.

    Raises:
        DataError: Two different files under one name. Copies of one size are taken as one, since
            some downloads of HAM10000 hold every folder twice.
    """
    found: dict[str, Path] = {}
    for path in sorted(_files_below(folder)):
        if path.suffix.lower() not in SUFFIXES:
            continue
        other = found.setdefault(path.stem, path)
        if other is not path and other.stat().st_size != path.stat().st_size:
            raise DataError(
                f"one photograph named '{path.stem}'",
                f"'{other}' and '{path}'",
                "remove one of them",
            )
    return {stem: str(path) for stem, path in found.items()}


def _files_below(folder: Path) -> Iterator[Path]:
    """Walk through linked folders too: large archives are often kept elsewhere and linked to."""
    been: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in been:
            folders.clear()
            continue
        been.add(real)
        folders.sort()
        yield from (Path(here, name) for name in names)


def paths_of(image_ids: pl.Series, folder: Path) -> pl.Series:
    """Return the path of each photograph below a folder, null where there is none."""
    found = index_photographs(folder)
    return pl.Series("path", [found.get(name) for name in image_ids], dtype=pl.String)


def patient_columns(
    sexes: pl.Series, ages: pl.Series, sites: pl.Series, path: Path
) -> dict[str, pl.Series]:
    """Read an archive's sexes, ages and sites as answers read them (`melanoscope.patient`).

    Args:
        sexes: Sexes in the archive's words, nulls allowed.
        ages: Ages in years as text or numbers, nulls allowed.
        sites: Anatomical sites in the archive's words, nulls allowed.
        path: The table, for errors.

    Returns:
        Columns sex, age and site in the package's vocabulary; an unknown age is null.

    Raises:
        DataError: A word that no archive uses, or an age that is none.
    """
    return {
        "sex": _parsed(sexes, parse_sex, f"the sexes of '{path.name}'", pl.String()),
        "age": _parsed(ages, parse_age, f"the ages of '{path.name}'", pl.Float64()),
        "site": _parsed(sites, parse_site, f"the sites of '{path.name}'", pl.String()),
    }


def _parsed(
    column: pl.Series,
    parse: Callable[[str | None], str | float | None],
    what: str,
    dtype: pl.DataType,
) -> pl.Series:
    """Parse each distinct value of a column once."""
    text = column.cast(pl.String)
    parsed: dict[str | None, str | float | None] = {}
    for value in text.unique(maintain_order=True):
        try:
            parsed[value] = parse(value)
        except DataError as error:
            raise DataError(f"{error.expected} in {what}", error.found, error.mend) from None
    return pl.Series(column.name, [parsed[value] for value in text], dtype)


def blank_to_null(column: pl.Series) -> pl.Series:
    """Turn blank identifiers into nulls, so that "nobody" is not one large patient."""
    clean = column.cast(pl.String).str.strip_chars()
    return clean.replace(["", "unknown"], [None] * 2)
