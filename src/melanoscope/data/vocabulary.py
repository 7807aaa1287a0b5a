"""One vocabulary for the diagnoses of all archives, in ``diagnoses.json``.

Each diagnosis has its malignancy and the words by which archives call it: nodes of the ISIC
archive's tree, the 8 classes of ISIC 2019, the 11 of MILK10k, and others. Words that no archive
uses are errors, since a guess would be a silent one. HAM10000's akiec and MILK10k's AKIEC hold
actinic keratoses and intraepithelial (squamous cell) carcinomas, which other archives tell apart.
Age, sex and site are read by `melanoscope.patient`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import polars as pl

from melanoscope.data.words_in_rows import describe_words
from melanoscope.errors import DataError
from melanoscope.patient import is_missing

_KINDS_OF_WORDS = ("isic", "isic2019", "milk10k", "words")

ENTRIES: tuple[dict[str, Any], ...] = tuple(
    json.loads(files("melanoscope.data").joinpath("diagnoses.json").read_text("utf-8"))["diagnoses"]
)
"""The vocabulary as its file says it."""

DIAGNOSES: tuple[str, ...] = tuple(entry["name"] for entry in ENTRIES)
"""The diagnoses that all archives are translated to."""

MALIGNANCY: dict[str, str | None] = {entry["name"]: entry["malignancy"] for entry in ENTRIES}
"""Diagnosis -> "benign", "malignant", "indeterminate", or None where it is unknown."""

MALIGNANCIES = ("benign", "malignant", "indeterminate")

UNSPECIFIC = frozenset({"unknown", "unknown benign", "unknown malignant", "unknown indeterminate"})
"""What stands for a diagnosis of which at most the malignancy is known."""


def plain_word(text: str) -> str:
    """Bring a word to the form in which words are compared: lower case, single spaces.

    >>> plain_word(" Squamous-cell_carcinoma ")
    'squamous cell carcinoma'
    """
    # Only between letters and digits: "-1" and "-" are marks for missing values.
    return " ".join(re.sub(r"(?<=[\w)])[-_]+(?=[\w(])", " ", text.lower()).split())


DIAGNOSIS_WORDS: dict[str, str] = {
    plain_word(word): entry["name"]
    for entry in ENTRIES
    for word in (entry["name"], *(w for kind in _KINDS_OF_WORDS for w in entry.get(kind, ())))
}
"""Word as `plain_word` gives it -> diagnosis."""

_MALIGNANCY_WORDS = {
    **{word: word for word in MALIGNANCIES},
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y"), "malignant"),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n", "non neoplastic"), "benign"),
    **dict.fromkeys(("indeterminate/benign", "indeterminate/malignant"), "indeterminate"),
}


def translate_diagnoses(
    columns: pl.Series | Sequence[pl.Series], what: str, lines: pl.Series | None = None
) -> pl.Series:
    """Map an archive's diagnoses, in any case, to ours.

    Args:
        columns: The words, or several columns of them from the finest to the coarsest: of each row
            the first known word counts.
        what: Names the words in an error.
        lines: Lines of the table in which the words stand, for errors.

    Returns:
        Words of `DIAGNOSES`; "unknown" where all columns are missing.

    Raises:
        DataError: Rows of which no word is known; names all such words.

    >>> translate_diagnoses(pl.Series(["NV", "mel", None]), "the diagnoses").to_list()
    ['nevus', 'melanoma', 'unknown']
    """
    levels = [columns] if isinstance(columns, pl.Series) else list(columns)
    frame = pl.DataFrame([level.cast(pl.String).alias(str(i)) for i, level in enumerate(levels)])
    distinct = frame.unique(maintain_order=True)
    rows = list(distinct.iter_rows())
    placed = [_place(words) for words in rows]
    unknown = [
        row[0] or next(w for w in row if w) for row, d in zip(rows, placed, strict=True) if not d
    ]
    if unknown:
        first_words = pl.select(pl.coalesce(frame)).to_series()
        raise DataError(
            f"known words in {what}",
            describe_words(first_words, list(dict.fromkeys(unknown)), lines),
            _hint(unknown),
        )
    found = distinct.with_columns(diagnosis=pl.Series(placed, dtype=pl.String))
    joined = frame.join(
        found, on=frame.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["diagnosis"]


def _hint(unknown: Sequence[str]) -> str:
    """Name the nearest known words of each unknown one, or where all of them are listed."""
    from difflib import get_close_matches

    near = {word: get_close_matches(plain_word(word), DIAGNOSIS_WORDS) for word in unknown[:5]}
    said = "; ".join(
        f"{' or '.join(map(repr, close))} for '{word}'" for word, close in near.items() if close
    )
    listed = "all known words are in docs/diagnoses.md"
    return f"nearest: {said}; {listed}" if said else f"correct the column; {listed}"


def _place(words: Sequence[str | None]) -> str | None:
    """Return the diagnosis of the first known word; None where words stand and none is known."""
    said = [plain_word(word) for word in words if word is not None and not is_missing(word)]
    if not said:
        return "unknown"
    return next((DIAGNOSIS_WORDS[word] for word in said if word in DIAGNOSIS_WORDS), None)


def translate_malignancy(column: pl.Series, what: str, lines: pl.Series | None = None) -> pl.Series:
    """Map words for benign, malignant and indeterminate to `MALIGNANCIES`, missing ones to null.

    Args:
        column: The words, in any case; also 1 and 0, 1.0 and 0.0, True and False.
        what: Names the words in an error.
        lines: Lines of the table in which the words stand, for errors.

    Returns:
        Words of `MALIGNANCIES` or null.

    Raises:
        DataError: Other words; names all of them.

    >>> translate_malignancy(pl.Series(["Benign", "1.0", "", "non-neoplastic"]), "x").to_list()
    ['benign', 'malignant', None, 'benign']
    """
    text = column.cast(pl.String)
    words = text.unique(maintain_order=True).to_list()
    plain = [None if word is None else plain_word(word) for word in words]
    unknown = [
        word
        for word, form in zip(words, plain, strict=True)
        if form is not None and not is_missing(word) and form not in _MALIGNANCY_WORDS
    ]
    if unknown:
        raise DataError(
            f"{', '.join(MALIGNANCIES)} in {what}",
            describe_words(text, unknown, lines),
            "correct the column",
        )
    meaning = [None if form is None else _MALIGNANCY_WORDS.get(form) for form in plain]
    return text.replace_strict(words, pl.Series(meaning, dtype=pl.String), return_dtype=pl.String)
