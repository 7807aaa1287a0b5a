"""What an archive's columns say of a row's label: diagnosis, malignancy, target, image type."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import IMAGE_TYPES
from melanoscope.data.targets import CONTRADICTION
from melanoscope.data.vocabulary import MALIGNANCY, UNSPECIFIC, plain_word
from melanoscope.data.words_in_rows import describe_words
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


_POSITIVE = {"true", "t", "yes", "y", "positive", "malignant", "melanoma"}
_NEGATIVE = {"false", "f", "no", "n", "negative", "benign"}


def parse_targets(
    column: pl.Series,
    table: Path,
    lines: pl.Series | None = None,
    mend: str = "correct the column",
) -> pl.Series:
    """Read targets: 1, 1.0, True, "malignant" mean the same everywhere; missing ones are null.

    Args:
        column: Targets as text.
        table: Names the table in errors.
        lines: Lines of the table in which they stand, for errors.
        mend: What to do about other words.

    Returns:
        1, 0 or null, Int8.

    Raises:
        DataError: Anything else, a probability for example, or -1 where no 0 says what is negative;
            names all such values.
    """
    text = column.cast(pl.String)
    values = text.unique(maintain_order=True).to_list()
    meaning = {value: _target(value) for value in values}
    wrong = [value for value in values if meaning[value] is None and not is_missing(value)]
    if 0 not in meaning.values() and 1 in meaning.values():
        # 1 and -1 may be two classes, and -1 a mark for missing values: it is not for us to say.
        wrong += [value for value in values if value is not None and _number(value) == -1]
    if wrong:
        raise DataError(
            f"target 0 or 1 in '{table.name}'",
            describe_words(text, wrong, lines),
            mend,
        )
    new = pl.Series(list(meaning.values()), dtype=pl.Int8)
    return text.replace_strict(values, new, return_dtype=pl.Int8)


def _target(value: str | None) -> int | None:
    """Return 1 or 0, or None for what is neither."""
    if value is None:
        return None
    word, number = plain_word(value), _number(value)
    if word in _POSITIVE or number == 1:
        return 1
    return 0 if word in _NEGATIVE or number == 0 else None


def _number(value: str) -> float | None:
    """Return a number that spreadsheets write in several ways, such as "1", "1,0" and "1.00"."""
    try:
        return float(value.strip().replace(",", "."))
    except ValueError:
        return None


def parse_image_types(column: pl.Series, table: Path, lines: pl.Series | None = None) -> pl.Series:
    """Read how photographs were taken, in the ISIC archive's words, old and new.

    Args:
        column: Words such as "dermoscopic", "clinical: close-up", "TBP tile: overview".
        table: Names the table in errors.
        lines: Lines of the table in which they stand, for errors.

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
            describe_words(column.cast(pl.String), wrong, lines),
            "correct the column",
        )
    new = pl.Series([starts.get(word) for word in words], dtype=pl.String)
    return column.cast(pl.String).replace_strict(values, new, return_dtype=pl.String)
