"""What every archive's reader needs: its table as text, its folder as names of photographs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from melanoscope.data.archive import ROW_SCHEMA
from melanoscope.data.sources.text_table import find_table as find_table
from melanoscope.data.sources.text_table import read_table as read_table
from melanoscope.data.vocabulary import translate_diagnoses
from melanoscope.errors import DataError
from melanoscope.imaging.decode import SUFFIXES
from melanoscope.patient import is_missing, parse_age, parse_sex, parse_site


def catalog_rows(raw: pl.DataFrame, dataset: str, table: Path) -> pl.DataFrame:
    """Bring an archive's text columns to `ROW_SCHEMA`, under the name `dataset`."""
    # `raw` has image_id, diagnosis, sex, age and site; patient_id and lesion_id if the archive has
    # them; and path, unless files beside or below `table` bear the name of their image_id.
    if "path" not in raw.columns:
        found = index_images(table.parent)
        paths = pl.Series([found.get(name) for name in raw["image_id"]], dtype=pl.String)
        raw = raw.with_columns(path=paths)
    nobody = pl.repeat(None, raw.height, dtype=pl.String, eager=True)
    diagnosis = translate_diagnoses(raw["diagnosis"], f"the diagnoses of '{table.name}'")
    rows = {
        "image_id": raw["image_id"],
        "path": raw["path"],
        "dataset": pl.repeat(dataset, raw.height, eager=True),
        "patient_id": _blank_to_null(raw.get_column("patient_id", default=nobody)),
        "lesion_id": _blank_to_null(raw.get_column("lesion_id", default=nobody)),
        **patient_columns(
            raw["sex"], raw["age"], raw["site"], table, raw.get_column("line", default=None)
        ),
        "diagnosis": diagnosis,
        "target": diagnosis == "melanoma",
    }
    return pl.DataFrame(rows).cast(pl.Schema(ROW_SCHEMA))


def parse_targets(column: pl.Series, table: Path) -> pl.Series:
    """Read targets of 0 and 1, also as "0.0" and "1.0"."""
    text = column.str.strip_chars().replace({"0.0": "0", "1.0": "1"})
    target = text.cast(pl.Int8, strict=False)
    invalid = column.filter(~target.is_in([0, 1]).fill_null(value=False))
    if len(invalid):
        raise DataError(f"target 0 or 1 in '{table.name}'", f"'{invalid[0]}'", "correct the column")
    return target


def add_targets(rows: pl.DataFrame, target: pl.Series) -> pl.DataFrame:
    """Give `rows` their `target`, and a diagnosis that says what the target alone does."""
    benign = pl.col("diagnosis").replace("unknown", "unknown benign")
    diagnosis = pl.when(target == 1).then(pl.lit("melanoma")).otherwise(benign)
    return rows.with_columns(target=target, diagnosis=diagnosis)


def index_images(folder: Path) -> dict[str, str]:
    """Map the stem of each photograph below `folder` to its path."""
    found: dict[str, Path] = {}
    for path in sorted(_files_below(folder)):
        if path.suffix.lower() not in SUFFIXES:
            continue
        other = found.setdefault(path.stem, path)
        # Copies of one size are taken as one: some downloads of HAM10000 hold every folder twice.
        if other is not path and other.stat().st_size != path.stat().st_size:
            raise DataError(
                f"one photograph named '{path.stem}'",
                f"'{other}' and '{path}'",
                "remove one of them",
            )
    return {stem: str(path) for stem, path in found.items()}


def _files_below(folder: Path) -> Iterator[Path]:
    """Walk through linked folders too: large archives are often kept elsewhere and linked to."""
    visited: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        yield from (Path(here, name) for name in names)


def patient_columns(
    sexes: pl.Series, ages: pl.Series, sites: pl.Series, path: Path, lines: pl.Series | None = None
) -> dict[str, pl.Series]:
    """Read an archive's words as `melanoscope.patient` does, into the columns sex, age and site.

    Errors name the `lines` of the table `path` in which unknown words stand, where these are given.
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


def describe_words(text: pl.Series, words: Sequence[str], lines: pl.Series | None = None) -> str:
    """Name words of a column, at most 12, with how often and in which line each comes first.

    >>> describe_words(pl.Series(["a", "b", "a"]), ["a", "b"], pl.Series([2, 3, 4]))
    "'a' (2 rows, first in line 2), 'b' (line 3)"
    """
    said = []
    for word in words[:12]:
        at = (text == word).arg_true()
        line = None if lines is None else lines[int(at[0])]
        if len(at) == 1:
            place = "1 row" if line is None else f"line {line}"
        else:
            place = f"{len(at)} rows" + ("" if line is None else f", first in line {line}")
        said.append(f"'{word}' ({place})")
    return ", ".join(said) + (f" and {len(words) - 12} more words" if words[12:] else "")


def _blank_to_null(column: pl.Series) -> pl.Series:
    """Turn marks of missing identifiers into nulls, so that "nobody" is not one large patient."""
    clean = column.cast(pl.String).str.strip_chars()
    missing = [word for word in clean.unique() if is_missing(word)]
    return clean.replace(missing, [None] * len(missing))
