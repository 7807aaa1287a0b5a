"""Diagnoses beside a malignancy that the archive states: a word that nobody knows stays unknown."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from melanoscope.data.validation import abbreviate
from melanoscope.data.vocabulary import DIAGNOSIS_WORDS, plain_word, translate_diagnoses


def place_diagnoses(columns: Sequence[pl.Series], what: str) -> tuple[pl.Series, tuple[str, ...]]:
    """Translate diagnoses of an archive that also says what is malignant.

    Rows of which no word is in the vocabulary are not guessed at: with their malignancy they become
    "unknown benign" or "unknown malignant", and what no target can be told of is left out.

    Args:
        columns: The words, from the finest column to the coarsest.
        what: Names the words in the note.

    Returns:
        Words of the vocabulary, "unknown" where none is known, and a note that names the unplaced.
    """
    known = [
        pl.Series([word if word and plain_word(word) in DIAGNOSIS_WORDS else None for word in c])
        for c in (column.cast(pl.String) for column in columns)
    ]
    known = [column.cast(pl.String) for column in known]
    diagnosis = translate_diagnoses(known, what)
    finest = columns[0].cast(pl.String)
    unplaced = finest.filter((diagnosis == "unknown") & finest.is_not_null())
    if unplaced.is_empty():
        return diagnosis, ()
    words = unplaced.unique(maintain_order=True)
    rows = "1 row" if len(unplaced) == 1 else f"{len(unplaced):,} rows"
    note = (
        f"{len(words):,} of {what} have no place in the vocabulary, and {rows} keep only whether "
        f"they are malignant: {abbreviate(words)}"
    )
    return diagnosis, (note,)
