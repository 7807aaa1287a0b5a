"""From an archive's columns of text to rows of `ROW_SCHEMA`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from melanoscope.data.archive import IMAGE_TYPES, ROW_SCHEMA
from melanoscope.data.identifiers import clean_ids
from melanoscope.data.sources.image_files import find_image_files
from melanoscope.data.vocabulary import (
    MALIGNANCY,
    UNSPECIFIC,
    plain_word,
    translate_diagnoses,
    translate_malignancy,
)
from melanoscope.errors import DataError
from melanoscope.patient import is_missing, parse_age, parse_sex, parse_site


def catalog_rows(
    raw: pl.DataFrame, dataset: str, table: Path, *, image_type: str | None = None
) -> pl.DataFrame:
    """Bring an archive's text columns to `ROW_SCHEMA`.

    Args:
        raw: Columns image_id, diagnosis, sex, age and site; those of patient_id, lesion_id, center,
            malignancy, image_type, license and target (0, 1 or null) that the archive has; and
            path, unless files beside or below `table` bear the name of their image_id.
        dataset: Name of the archive in the catalog.
        table: The archive's table; errors name it, and photographs are looked for beside it.
        image_type: How all photographs were taken, where no column says it.

    Returns:
        The rows. What has a diagnosis and no malignancy takes that of the vocabulary; what has a
        malignancy and no diagnosis becomes "unknown benign" and the like.
    """
    if "path" not in raw.columns:
        found = index_images(table.parent)
        paths = pl.Series([found.get(name) for name in raw["image_id"]], dtype=pl.String)
        raw = raw.with_columns(path=paths)
    empty = pl.repeat(None, raw.height, dtype=pl.String, eager=True)

    def column(name: str) -> pl.Series:
        return raw.get_column(name, default=empty)

    malignancy = translate_malignancy(column("malignancy"), f"the malignancies of '{table.name}'")
    diagnosis, malignancy = complete_labels(
        translate_diagnoses(raw["diagnosis"], f"the diagnoses of '{table.name}'"), malignancy
    )
    patient_id = clean_ids(column("patient_id"))
    types = parse_image_types(column("image_type"), table)
    rows = {
        "image_id": raw["image_id"],
        "path": raw["path"],
        "dataset": pl.repeat(dataset, raw.height, eager=True),
        "center": blank_to_null(column("center")),
        "patient_id": patient_id,
        "lesion_id": clean_ids(column("lesion_id"), within=patient_id),
        **patient_columns(
            raw["sex"], raw["age"], raw["site"], table, raw.get_column("line", default=None)
        ),
        "diagnosis": diagnosis,
        "malignancy": malignancy,
        "target": column("target").cast(pl.Int8),
        "image_type": types if image_type is None else types.fill_null(image_type),
        "license": blank_to_null(column("license")),
    }
    return pl.DataFrame(rows).cast(pl.Schema(ROW_SCHEMA))


def complete_labels(diagnosis: pl.Series, malignancy: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Fill in the malignancy that a diagnosis has, and the diagnosis that a malignancy leaves.

    Args:
        diagnosis: Words of the vocabulary.
        malignancy: "benign", "malignant", "indeterminate" or null.

    Returns:
        Both, filled in; what an archive says itself stands.
    """
    usual = diagnosis.replace_strict(MALIGNANCY, return_dtype=pl.String)
    filled = pl.select(pl.coalesce(malignancy, usual)).to_series()
    named = pl.select(
        pl.when(diagnosis.is_in(list(UNSPECIFIC)) & filled.is_not_null())
        .then(pl.lit("unknown ") + filled)
        .otherwise(diagnosis)
    ).to_series()
    return named, filled


_POSITIVE = {"1", "1.0", "true", "yes", "positive", "malignant", "melanoma"}
_NEGATIVE = {"0", "0.0", "false", "no", "negative", "benign"}


def parse_targets(column: pl.Series, table: Path) -> pl.Series:
    """Read targets: 1, 1.0, True, "malignant" mean the same everywhere; missing ones are null.

    Args:
        column: Targets as text.
        table: Names the table in errors.

    Returns:
        1, 0 or null, Int8.

    Raises:
        DataError: Anything else, a probability for example; names all such values.
    """
    values = column.cast(pl.String).unique(maintain_order=True).to_list()
    plain = ["" if value is None else plain_word(value) for value in values]
    known = _POSITIVE | _NEGATIVE
    wrong = [v for v, w in zip(values, plain, strict=True) if w not in known and not is_missing(v)]
    if wrong:
        raise DataError(
            f"target 0 or 1 in '{table.name}'",
            f"{', '.join(repr(value) for value in wrong[:10])} in "
            f"{int(column.is_in(wrong).sum())} rows",
            "correct the column",
        )
    meaning = [1 if word in _POSITIVE else 0 if word in _NEGATIVE else None for word in plain]
    new = pl.Series(meaning, dtype=pl.Int8)
    return column.cast(pl.String).replace_strict(values, new, return_dtype=pl.Int8)


def parse_image_types(column: pl.Series, table: Path) -> pl.Series:
    """Read how photographs were taken, in the ISIC archive's words, old and new.

    Args:
        column: Words such as "dermoscopic", "clinical: close-up", "TBP tile: overview".
        table: Names the table in errors.

    Returns:
        Words of `IMAGE_TYPES` or null.

    Raises:
        DataError: Other words; names all of them.
    """
    values = column.cast(pl.String).unique(maintain_order=True).to_list()
    starts = {kind.lower(): kind for kind in IMAGE_TYPES} | {"dermoscopy": "dermoscopic"}
    words = ["" if value is None else value.partition(":")[0].strip().lower() for value in values]
    wrong = [v for v, w in zip(values, words, strict=True) if w not in starts and not is_missing(v)]
    if wrong:
        raise DataError(
            f"image types {', '.join(IMAGE_TYPES)} in '{table.name}'",
            ", ".join(f"'{value}'" for value in wrong),
            "correct the column",
        )
    new = pl.Series([starts.get(word) for word in words], dtype=pl.String)
    return column.cast(pl.String).replace_strict(values, new, return_dtype=pl.String)


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


def blank_to_null(column: pl.Series) -> pl.Series:
    """Turn marks for missing values into nulls."""
    clean = column.cast(pl.String).str.strip_chars()
    missing = [word for word in clean.unique() if is_missing(word)]
    return clean.replace(missing, [None] * len(missing))
