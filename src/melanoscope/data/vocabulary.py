"""One vocabulary for the diagnoses of all archives.

A word that no archive uses is an error, since a guess would be a silent one. Age, sex and site are
read by `melanoscope.patient`.
"""

from __future__ import annotations

import polars as pl

from melanoscope.errors import DataError, nearest

DIAGNOSES: tuple[str, ...] = (
    "melanoma",
    "nevus",
    "basal cell carcinoma",
    "squamous cell carcinoma",
    "actinic keratosis",
    "benign keratosis",
    "dermatofibroma",
    "vascular lesion",
    "other benign",
    "unknown benign",
    "unknown",
)

DIAGNOSIS_WORDS: dict[str, str] = {
    # ISIC 2020
    "atypical melanocytic proliferation": "other benign",
    "cafe-au-lait macule": "other benign",
    "lentigo nos": "benign keratosis",
    "lichenoid keratosis": "benign keratosis",
    "seborrheic keratosis": "benign keratosis",
    "solar lentigo": "benign keratosis",
    # ISIC 2019, HAM10000, PAD-UFES-20. HAM10000's akiec holds actinic keratoses and intraepithelial
    # (squamous cell) carcinomas, which ISIC 2019 tells apart.
    "ack": "actinic keratosis",
    "ak": "actinic keratosis",
    "akiec": "actinic keratosis",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nev": "nevus",
    "nv": "nevus",
    "scc": "squamous cell carcinoma",
    "sek": "benign keratosis",
    "unk": "unknown",
    "vasc": "vascular lesion",
    **{word: word for word in DIAGNOSES},
}


def translate_diagnoses(column: pl.Series, what: str) -> pl.Series:
    """Map an archive's diagnoses, in any case, to `DIAGNOSES`; `what` names them in an error."""
    clean = column.cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
    unlisted = clean.filter(~clean.is_in(["", *DIAGNOSIS_WORDS])).unique(maintain_order=True)
    if len(unlisted):
        raise DataError(
            f"known words in {what}",
            f"'{unlisted[0]}'",
            nearest(unlisted[0], sorted(DIAGNOSIS_WORDS)),
        )
    return clean.replace_strict({**DIAGNOSIS_WORDS, "": "unknown"}, return_dtype=pl.String)
