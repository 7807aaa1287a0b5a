"""One vocabulary for the diagnoses of all archives, in ``diagnosis_words.json``.

A word that no archive uses is an error, since a guess would be a silent one. HAM10000's akiec holds
actinic keratoses and intraepithelial (squamous cell) carcinomas, which ISIC 2019 tells apart. Age,
sex and site are read by `melanoscope.patient`.
"""

from __future__ import annotations

import json
from importlib.resources import files

import polars as pl

from melanoscope.errors import DataError, nearest

_WORDS = json.loads(files("melanoscope.data").joinpath("diagnosis_words.json").read_text("utf-8"))

DIAGNOSIS_WORDS: dict[str, str] = {
    word: diagnosis for diagnosis, words in _WORDS.items() for word in (diagnosis, *words)
}
"""Word in lower case -> diagnosis."""


DIAGNOSES: tuple[str, ...] = tuple(dict.fromkeys(DIAGNOSIS_WORDS.values()))
"""The vocabulary that all archives are translated to."""


def translate_diagnoses(column: pl.Series, what: str) -> pl.Series:
    """Map an archive's diagnoses, in any case, to ours; `what` names them in an error."""
    clean = column.cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
    unlisted = clean.filter(~clean.is_in(["", *DIAGNOSIS_WORDS])).unique(maintain_order=True)
    if len(unlisted):
        raise DataError(
            f"known words in {what}",
            f"'{unlisted[0]}'",
            nearest(unlisted[0], sorted(DIAGNOSIS_WORDS)),
        )
    return clean.replace_strict({**DIAGNOSIS_WORDS, "": "unknown"}, return_dtype=pl.String)
