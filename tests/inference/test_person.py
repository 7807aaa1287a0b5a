"""What is known of a person: checked, never guessed."""

from __future__ import annotations

import math

import pytest

from melanoscope.errors import DataError
from melanoscope.inference.person import PatientInfo, parse_patient
from melanoscope.patient import SEXES, SITES


def test_words_and_numbers_are_taken_as_people_write_them():
    assert parse_patient(" 45.5 ", "FEMALE", " upper  extremity ") == PatientInfo(
        45.5, "female", "upper extremity"
    )


@pytest.mark.parametrize("nothing", [None, "", "  ", "unknown", "Unknown"])
def test_nothing_known_is_unknown(nothing):
    assert parse_patient(nothing, nothing, nothing) == PatientInfo(None, "unknown", "unknown")


@pytest.mark.parametrize(
    "age", [-1, 120.5, 300, "old", math.nan, math.inf, "nan", "1e9", [], True and "-0.1"]
)
def test_an_impossible_age_is_refused(age):
    with pytest.raises(DataError, match="an age from 0 to 120 years") as caught:
        parse_patient(age)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("age", [0, 120, "0", 0.0])
def test_the_bounds_are_ages(age):
    assert parse_patient(age).age == float(age)


def test_an_unknown_site_names_the_nearest():
    with pytest.raises(DataError, match="nearest: torso"):
        parse_patient(site="torsoo")
    with pytest.raises(DataError, match=r"known: .*palms/soles"):
        parse_patient(site="zzz")


def test_an_unknown_sex_names_what_is_known():
    with pytest.raises(DataError, match="male"):
        parse_patient(sex="mal")
    with pytest.raises(DataError, match="a sex in words"):
        parse_patient(sex=1)  # type: ignore[arg-type]


def test_every_word_of_the_vocabulary_is_taken():
    for sex in SEXES:
        for site in SITES:
            assert parse_patient(30, sex, site) == PatientInfo(30.0, sex, site)
