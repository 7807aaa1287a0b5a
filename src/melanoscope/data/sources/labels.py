"""What an archive's columns say of a row's label: diagnosis, malignancy, target, image type."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import IMAGE_TYPES
from melanoscope.data.targets import CONTRADICTION
from melanoscope.data.vocabulary import MALIGNANCY, UNSPECIFIC, plain_word
from melanoscope.errors import DataError
from melanoscope.patient import is_missing


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


def join_malignancies(first: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Join two columns of one table that say the same.

    Args:
        first: "benign", "malignant", "indeterminate" or null; what it says stands.
        second: The same, for rows of which the first says nothing.

    Returns:
        What either says, and why a row cannot be labelled: one says benign, the other malignant.
    """
    definite = ["benign", "malignant"]
    differ = first.is_in(definite) & second.is_in(definite) & (first != second)
    why = pl.when(differ).then(pl.lit(CONTRADICTION))
    both = pl.select(malignancy=pl.coalesce(first, second), unlabelled=why)
    return both["malignancy"], both["unlabelled"]


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
