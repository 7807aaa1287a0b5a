"""What is known of the person beside the photograph; all of it may be unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from melanoscope.errors import DataError, nearest
from melanoscope.patient import MAX_AGE, SEXES, SITES

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PatientInfo:
    """Age, sex and site of the lesion.

    Attributes:
        age: Years, 0 to 120, or None where unknown.
        sex: A word of `static.SEXES`.
        site: A word of `static.SITES`.
    """

    age: float | None = None
    sex: str = UNKNOWN
    site: str = UNKNOWN


def parse_patient(
    age: float | str | None = None, sex: str | None = None, site: str | None = None
) -> PatientInfo:
    """Check what is known of a person. None and "" mean unknown.

    Raises:
        DataError: An age that is no number from 0 to 120, or an unknown sex or site; names the
            nearest.

    >>> parse_patient("45", "Female", "torso")
    PatientInfo(age=45.0, sex='female', site='torso')
    >>> parse_patient()
    PatientInfo(age=None, sex='unknown', site='unknown')
    """
    return PatientInfo(_age(age), _word("sex", sex, SEXES), _word("site", site, SITES))


def _age(value: float | str | None) -> float | None:
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", UNKNOWN)):
        return None
    try:
        years = float(value)
    except (TypeError, ValueError):
        years = math.nan
    if not 0 <= years <= MAX_AGE:
        raise DataError(
            f"an age from 0 to {MAX_AGE:g} years", repr(value), "give years or leave it out"
        )
    return years


def _word(name: str, value: str | None, known: tuple[str, ...]) -> str:
    if value is None:
        return UNKNOWN
    if not isinstance(value, str):
        raise DataError(f"a {name} in words", repr(value), nearest("", list(known)))
    word = " ".join(value.lower().split())
    if not word:
        return UNKNOWN
    if word not in known:
        raise DataError(f"a known {name}", repr(value), nearest(word, list(known)))
    return word
