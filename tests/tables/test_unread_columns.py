"""No column is passed over in silence where it could have been meant."""

from __future__ import annotations

import pytest

from melanoscope.tables.unread_columns import unread_columns

KNOWN = ("path", "target", "diagnosis", "patient_id", "lesion_id", "sex", "age", "site")


@pytest.mark.parametrize(
    ("column", "near"),
    [
        ("patient", "patient_id"),
        ("PatientID", "patient_id"),
        ("patient-id", "patient_id"),
        ("Patient Id", "patient_id"),
        ("patientid", "patient_id"),
        ("patinet_id", "patient_id"),
        ("subject_id", "patient_id"),
        ("lesion", "lesion_id"),
        ("targets", "target"),
        ("label", "target"),
        ("diagnosys", "diagnosis"),
        ("dx", "diagnosis"),
        ("gender", "sex"),
        ("age_years", "age"),
        ("body_site", "site"),
        ("location", "site"),
        ("path_to_file", "path"),
    ],
)
def test_near_names(column, near):
    """Said also where not every column is named."""
    line = f"column '{column}' is not read; the nearest known is '{near}'"
    for every in (False, True):
        assert unread_columns(["x", column], ["x"], KNOWN, every=every) == (line,)


@pytest.mark.parametrize("column", ["note", "camera", "operator", "diameter_mm", "", "image_type"])
def test_names_without_likeness(column):
    assert unread_columns([column], [], KNOWN) == ()
    said = unread_columns([column], [], KNOWN, every=True)
    assert said == ((f"column '{column}' is not read",) if column else ())


def test_a_name_that_is_read_is_nobodys_nearest():
    columns = ["age", "Age ", "evidence_age", "age_group"]
    assert unread_columns(columns, ["age"], KNOWN) == ()


def test_many_columns_share_a_line():
    (line,) = unread_columns([f"q{n}" for n in range(30)], [], KNOWN, every=True)
    assert line.startswith("columns 'q0', 'q1', ")
    assert line.endswith("'q19' and 10 more are not read")
