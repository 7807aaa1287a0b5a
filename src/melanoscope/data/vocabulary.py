"""One vocabulary for the diagnoses, sexes and sites of all archives.

Sites go to the coarse words of `melanoscope.patient.SITES`; why is said there. An empty field is
"unknown"; a word that no archive uses is an error, since a guess would be a silent one.
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

SEX_WORDS: dict[str, str] = {
    "f": "female",
    "female": "female",
    "m": "male",
    "male": "male",
    "unknown": "unknown",
}

SITE_WORDS: dict[str, str] = {
    **dict.fromkeys(("head/neck", "ear", "face", "lip", "neck", "nose", "scalp"), "head/neck"),
    **dict.fromkeys(
        (
            "torso",
            "abdomen",
            "anterior torso",
            "back",
            "chest",
            "lateral torso",
            "posterior torso",
            "trunk",
        ),
        "torso",
    ),
    **dict.fromkeys(("upper extremity", "arm", "forearm", "hand"), "upper extremity"),
    **dict.fromkeys(("lower extremity", "foot", "leg", "thigh"), "lower extremity"),
    **dict.fromkeys(("palms/soles", "acral"), "palms/soles"),
    **dict.fromkeys(("oral/genital", "genital"), "oral/genital"),
    "unknown": "unknown",
}


def translate(column: pl.Series, words: dict[str, str], what: str, empty: str) -> pl.Series:
    """Map an archive's words, case-insensitively, to one vocabulary.

    Args:
        column: Strings, nulls allowed.
        words: Lower-case word of an archive -> word of the vocabulary.
        what: Name of the column and its file, for the error.
        empty: What a null or blank stands for.

    Raises:
        DataError: A word that is not in `words`; names it and the nearest known ones.
    """
    clean = column.cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
    strange = clean.filter(~clean.is_in(["", *words])).unique(maintain_order=True)
    if len(strange):
        raise DataError(
            f"known words in {what}", f"'{strange[0]}'", nearest(strange[0], sorted(words))
        )
    return clean.replace_strict({**words, "": empty}, return_dtype=pl.String)


def translate_ages(column: pl.Series, what: str) -> pl.Series:
    """Read ages in years; blanks, "unknown" and 0 become null.

    The archives round ages to five years and write 0 where none is known (HAM10000 has 39 adults'
    lesions at age 0), so 0 is taken as missing.

    Raises:
        DataError: Something that is not a number.
    """
    clean = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    clean = clean.replace(["", "unknown", "na", "nan"], [None] * 4)
    ages = clean.cast(pl.Float64, strict=False)
    broken = clean.filter(ages.is_null() & clean.is_not_null())
    if len(broken):
        raise DataError(f"ages in years in {what}", f"'{broken[0]}'", "correct or empty the field")
    return ages.replace(0.0, None)
