"""What is known of a patient: read alike in training and in answers, never guessed."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from melanoscope.data.sources import ham10000, isic2019, isic2020, pad_ufes_20
from melanoscope.errors import DataError
from melanoscope.patient import (
    MISSING,
    SEX_WORDS,
    SEXES,
    SITE_WORDS,
    SITES,
    PatientInfo,
    is_missing,
    parse_patient,
)

from .data.archives import (
    HAM_SITES,
    PAD_SITES,
    SITES_2019,
    SITES_2020,
    write_2019,
    write_2020,
    write_ham,
    write_pad,
)


def test_words_and_numbers_are_taken_as_people_write_them():
    assert parse_patient(" 45.5 ", "FEMALE", " upper  extremity ") == PatientInfo(
        45.5, "female", "upper extremity"
    )


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        "",
        "  ",
        *sorted(MISSING),
        "Unknown",
        "NA",
        " NaN ",
        "N.D.",
        "\\N",
        "-9",
        "#REF!",
        "Not_Asked",
    ],
)
def test_nothing_known_is_unknown(nothing):
    assert parse_patient(nothing, nothing, nothing) == PatientInfo(None, "unknown", "unknown")


@pytest.mark.parametrize("age", [-2, 120.5, 300, "old", math.inf, "1e9", [], "-0.1", "45 years"])
def test_an_impossible_age_is_refused(age):
    with pytest.raises(DataError, match="an age from 0 to 120 years") as caught:
        parse_patient(age)
    assert "\n" not in str(caught.value)


def test_the_upper_bound_is_an_age():
    assert parse_patient(120).age == 120.0


@pytest.mark.parametrize(
    ("age", "years"),
    [("45,5", 45.5), ("85+", 85.0), (" 85 + ", 85.0), ("+7", 7.0), ("5.", 5.0), (".5", 0.5)],
)
def test_ages_as_programs_and_archives_write_them(age, years):
    assert parse_patient(age).age == years


@pytest.mark.parametrize("age", ["1,000,5", "++5", "+", "1_0", "\u0664\u0665", "4 5", "85-"])
def test_what_looks_like_an_age(age):
    with pytest.raises(DataError, match="an age from 0 to 120 years"):
        parse_patient(age)


MARKS = [
    "",
    " ",
    "NA",
    "N/A",
    "n.a.",
    "#N/A",
    "<NA>",
    "nan",
    "NaN",
    "NULL",
    "None",
    "nil",
    "-",
    "--",
]
MARKS += [
    "?",
    ".",
    "Missing",
    "not available",
    "NOT_KNOWN",
    "undefined",
    "unk",
    "-1",
    "-1.0",
    " - ",
]


@pytest.mark.parametrize("mark", MARKS)
def test_missing_marks(mark):
    assert is_missing(mark)
    assert parse_patient(mark, mark, mark) == PatientInfo()


@pytest.mark.parametrize(
    "word", ["0", "1", "-2", "-10", "nobody", "none of these", "a", "N", "--1"]
)
def test_what_is_no_missing_mark(word):
    """Age 0 alone is missing; an id 0 is judged by its column."""
    assert not is_missing(word)


@pytest.mark.parametrize(
    ("words", "sex"),
    [
        (("F", "f", "fem", "woman", "Weiblich", "w", "girl"), "female"),
        (("M", "man", "m\u00e4nnlich", "ma\u0308nnlich", "MAENNLICH", "M.", "boy"), "male"),
        (("other", "Other or unspecified", "OTHER_OR_UNSPECIFIED", "divers"), "unknown"),
    ],
)
def test_sexes(words, sex):
    assert {parse_patient(sex=word).sex for word in words} == {sex}


SITE_NAMES = {
    "head/neck": ["Head and neck", "head_neck_face", "head neck", "HEAD & NECK", "head-neck"],
    "torso": ["Trunk", "anterior torso", "buttocks", "Posterior_Torso", "lower back"],
    "upper extremity": ["Upper extremity", "upper_extremity", "upper limbs", "hand"],
    "lower extremity": ["Lower extremity", "lower limbs", "lower_extremity", "foot"],
    "palms/soles": ["palms/soles", "palms_soles", "acral", "acral NOS", "Palms and soles"],
    "oral/genital": ["oral or genital", "Anogenital region", "genital areas", "genital"],
}


@pytest.mark.parametrize("site", SITE_NAMES)
def test_sites_of_all_archives(site):
    assert {parse_patient(site=word).site for word in SITE_NAMES[site]} == {site}


@pytest.mark.parametrize("age", [0, 0.0, "0", "0.0", "0,0", -1, -1.0, "-1,0", math.nan])
def test_ages_0_and_minus_1_are_unknown_as_in_the_archives(age):
    assert parse_patient(age) == PatientInfo()


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


@pytest.mark.parametrize(("words", "known"), [(SEX_WORDS, SEXES), (SITE_WORDS, SITES)])
def test_vocabularies_are_closed(words, known):
    """Every word leads to a word of the vocabulary, which leads to itself."""
    assert set(words.values()) <= set(known)
    assert {word: words.get(word) for word in known} == {word: word for word in known}


# --- training and answers read the same


AGES = ("45", "0", "0.0", "", "85.0", "NA")
ARCHIVES = {
    "isic2020": (isic2020.read, write_2020, "image_name", "sex", "age_approx",
                 "anatom_site_general_challenge", SITES_2020, ("female", "male", "")),
    "isic2019": (isic2019.read, write_2019, "image", "sex", "age_approx", "anatom_site_general",
                 SITES_2019, ("female", "male", "")),
    "ham10000": (ham10000.read, write_ham, "image_id", "sex", "age", "localization", HAM_SITES,
                 ("female", "male", "unknown")),
    "pad-ufes-20": (pad_ufes_20.read, write_pad, "img_id", "gender", "age", "region", PAD_SITES,
                    ("FEMALE", "MALE", "")),
}  # fmt: skip


def _as_answers_read(raw: dict[str, str], sex: str, age: str, site: str) -> PatientInfo:
    return parse_patient(raw[age], raw[sex], raw[site])


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_says_the_same_in_training_and_in_answers(kind, tmp_path):
    read, write, image, sex, age, site, sites, sexes = ARCHIVES[kind]
    raw = [
        {image: f"I{i:03d}", sex: sexes[i % len(sexes)], age: AGES[i % len(AGES)], site: word}
        for i, word in enumerate([*sites, *sites])
    ]
    trained = read(write(tmp_path, *raw)).rows
    rows = {row["image_id"]: row for row in trained.iter_rows(named=True)}
    for one in raw:
        found = rows[one[image]]
        answer = _as_answers_read(one, sex, age, site)
        assert PatientInfo(found["age"], found["sex"], found["site"]) == answer
        assert answer.site == sites[one[site]]


TABLES = {
    "isic2020": "ISIC_2020_Training_GroundTruth_v2.csv",
    "isic2019": "ISIC_2019_Training_Metadata.csv",
    "ham10000": "HAM10000_metadata.csv",
    "pad-ufes-20": "metadata.csv",
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_every_row_of_the_real_tables_reads_the_same(kind, real_folder):
    read, _, image, sex, age, site, _, _ = ARCHIVES[kind]
    folder = Path(real_folder) / "lesions" / kind
    rows = {row["image_id"]: row for row in read(folder).rows.iter_rows(named=True)}
    with (folder / TABLES[kind]).open(newline="", encoding="utf-8-sig") as file:
        raw = list(csv.DictReader(file))
    assert len(raw) > 100
    for one in raw:
        found = rows[one[image].removesuffix(".png")]
        answer = _as_answers_read(one, sex, age, site)
        assert PatientInfo(found["age"], found["sex"], found["site"]) == answer


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("isic_export/metadata.csv", ("anatom_site_general", "anatom_site_special")),
        ("milk10k/MILK10k_Training_Metadata.csv", ("site",)),
    ],
)
def test_every_word_of_the_new_exports_is_known(table, columns, real_folder):
    with (Path(real_folder) / "tables" / table).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10_480
    for column in columns:
        found = {parse_patient(site=word).site for word in {row[column] for row in rows}}
        assert len(found - {"unknown"}) > 1
    for word in {row["sex"] for row in rows} | {"female"}:
        assert parse_patient(sex=word).sex in ("female", "male")
    assert {parse_patient(row["age_approx"]).age for row in rows} >= {None, 5.0, 85.0}
