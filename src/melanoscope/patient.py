"""Age, sex and anatomical site of a patient: read from anybody's words, and encoded as numbers.

Archives, `predict`, the API and the page all read a patient here, so that a word means the same in
training and in an answer. The words are in ``patient_words.json``, which the page reads too.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError, nearest

_WORDS = json.loads(files("melanoscope").joinpath("patient_words.json").read_text("utf-8"))

UNKNOWN = "unknown"

MISSING: frozenset[str] = frozenset(_WORDS["missing"])
"""What stands for "not known" in any column, in lower case."""

SEX_WORDS: Mapping[str, str] = _WORDS["sexes"]
"""Word in lower case -> word of `SEXES`."""

SITE_WORDS: Mapping[str, str] = _WORDS["sites"]
"""Word in lower case -> word of `SITES`."""

SEXES: tuple[str, ...] = tuple(dict.fromkeys(SEX_WORDS.values()))

# The coarsest vocabulary that all archives share (that of ISIC 2020). A finer one would hand the
# network the archive's name: only ISIC 2019 says "anterior torso", and there it predicts the label.
SITES: tuple[str, ...] = tuple(dict.fromkeys(SITE_WORDS.values()))

MAX_AGE = float(_WORDS["max_age"])

FEATURE_NAMES: tuple[str, ...] = (
    "age",
    "age unknown",
    *(f"sex {sex}" for sex in SEXES),
    *(f"site {site}" for site in SITES),
)
WIDTH = len(FEATURE_NAMES)


@dataclass(frozen=True, slots=True)
class PatientInfo:
    """What is known of a patient besides the photograph; None and "unknown" where nothing is."""

    age: float | None = None
    sex: str = UNKNOWN
    site: str = UNKNOWN


def parse_patient(
    age: float | str | None = None, sex: str | None = None, site: str | None = None
) -> PatientInfo:
    """Read a patient from values as tables, forms and the command line hold them.

    Args:
        age: Age in years; see `parse_age`.
        sex: Sex in any word of `SEX_WORDS`, in any case.
        site: Anatomical site in any word of `SITE_WORDS`, in any case.

    Returns:
        The patient in the package's vocabulary; what is missing is unknown.

    Raises:
        DataError: An age that is no number from 0 to 120, or an unknown word; names the nearest.

    >>> parse_patient("45", "F", "Back")
    PatientInfo(age=45.0, sex='female', site='torso')
    """
    return PatientInfo(parse_age(age), parse_sex(sex), parse_site(site))


def is_missing(text: str | None) -> bool:
    """Return whether a cell of any column says that nothing is known: blank, NA, ?, -1 and such.

    >>> [is_missing(text) for text in ("", "N/A", "not_known", "-1.0", "0", "torso")]
    [True, True, True, True, False, False]
    """
    return text is None or _plain(text) in MISSING or _plain(text.replace("_", " ")) in MISSING


def parse_age(value: float | str | None) -> float | None:
    """Read an age above 0 and up to 120 years: a number, or text such as "45", "45,5" or "85+".

    Archives cap ages, so that "85+" is read as the 85 they write.

    Args:
        value: Years, or text.

    Returns:
        Years above 0; None for marks of a missing value, for -1 and for 0.

    Raises:
        DataError: No number, or one outside 0 to 120.

    >>> parse_age("45,5"), parse_age("85+"), parse_age("0")
    (45.5, 85.0, None)
    """
    # Age 0 is missing too: the archives round ages to five years and write 0 where none is known
    # (HAM10000 has 39 adults' lesions at age 0), so that no network has learnt what age 0 means.
    if value is None or (isinstance(value, str) and is_missing(value)):
        return None
    years = _number(value) if isinstance(value, str) else value
    if not isinstance(years, int | float):
        years = math.inf
    if math.isnan(years) or years in (0, -1):
        return None
    if not 0 <= years <= MAX_AGE:
        raise DataError(
            f"an age from 0 to {MAX_AGE:g} years", repr(value), "give years or leave it out"
        )
    return float(years)


def parse_sex(value: str | None) -> str:
    """Read a sex.

    Args:
        value: Any word of `SEX_WORDS`, in any case.

    Returns:
        A word of `SEXES`, "unknown" where it is missing.

    Raises:
        DataError: An unknown word; names the nearest.
    """
    return _parse_word("sex", value, SEX_WORDS)


def parse_site(value: str | None) -> str:
    """Read an anatomical site.

    Args:
        value: Any word of `SITE_WORDS`, in any case.

    Returns:
        A word of `SITES`, "unknown" where it is missing.

    Raises:
        DataError: An unknown word; names the nearest.
    """
    return _parse_word("site", value, SITE_WORDS)


def encode(
    ages: Sequence[float | None], sexes: Sequence[str], sites: Sequence[str]
) -> NDArray[np.float32]:
    """Encode patients as numbers, one row per photograph.

    Args:
        ages: Ages in years, 0 to 120, or None where unknown.
        sexes: Words of `SEXES`.
        sites: Words of `SITES`.

    Returns:
        Array of shape (n, `WIDTH`): age as (years - 50) / 25 and 0 where unknown, a flag for
        unknown age, then one column per sex and per site.

    Raises:
        ValueError: A word outside its vocabulary, an age outside 0 to 120, or unequal lengths.

    >>> encode([75, None], ["female", "unknown"], ["torso", "unknown"])[:, :5].tolist()
    [[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]]
    """
    # The poster label-encoded its categories and normalised them by row, so that the same site
    # meant another number beside another age. Here every category has its own place.
    vector = np.zeros((len(ages), WIDTH), np.float32)
    for row, (age, sex, site) in enumerate(zip(ages, sexes, sites, strict=True)):
        if age is None or np.isnan(age):
            vector[row, 1] = 1.0
        elif 0 <= age <= MAX_AGE:
            vector[row, 0] = (age - 50.0) / 25.0
        else:
            raise ValueError(f"expected an age from 0 to {MAX_AGE:g} years, found {age}")
        vector[row, 2 + SEXES.index(sex)] = 1.0
        vector[row, 2 + len(SEXES) + SITES.index(site)] = 1.0
    return vector


def _plain(text: str) -> str:
    """Bring a word to lower case and composed letters, with single blanks between its parts."""
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def _joined(text: str) -> str:
    """Return a word without the signs that people put between its parts."""
    return _plain(re.sub(r"[_/\\,.&+()-]+", " ", text))


_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*\+?", re.ASCII | re.IGNORECASE)


def _number(text: str) -> float:
    """Return the number that a text is; infinity, which no age is, where it is none."""
    found = _NUMBER.fullmatch(text.strip().replace(",", "."))
    return float(found[1]) if found else math.inf


_SPELLINGS: Mapping[str, Mapping[str, str]] = {
    name: {_joined(word): meant for word, meant in words.items()}
    for name, words in (("sex", SEX_WORDS), ("site", SITE_WORDS))
}


def _parse_word(name: str, value: str | None, words: Mapping[str, str]) -> str:
    if value is None:
        return UNKNOWN
    if not isinstance(value, str):
        raise DataError(f"a {name} in words", repr(value), nearest("", sorted(set(words.values()))))
    if is_missing(value):
        return UNKNOWN
    meant = _SPELLINGS[name].get(_joined(value))
    if meant is None:
        raise DataError(f"a known {name}", repr(value), _hint(_plain(value), words))
    return meant


def _hint(word: str, words: Mapping[str, str]) -> str:
    """Name the nearest of all words, or the few words that all others stand for."""
    hint = nearest(word, sorted(words))
    return hint if hint.startswith("nearest") else nearest("", sorted(set(words.values())))
