"""The list of a network's photographs finds files, ids, lesions and patients; it names none."""

from __future__ import annotations

import polars as pl
import pytest

from melanoscope.data.development import (
    development_hashes,
    find_development,
    read_development,
    write_development,
)
from melanoscope.errors import BundleError

SPACES = {"isic2020": "isic", "ham10000": "isic"}
COLUMNS = ("image_id", "dataset", "content", "lesion_id", "patient_id")


def frame(*rows, part=None):
    table = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return table if part is None else table.with_columns(part=pl.Series(part))


KNOWN = frame(
    ("ISIC_1", "isic2020", "aa", None, "IP_1"),
    ("ISIC_2", "isic2020", "bb", "L_2", "IP_2"),
    ("mine", "table", "cc", "L_9", "P_9"),
    part=["train", "test", "calibration"],
)


def found(*rows):
    hashes = development_hashes(KNOWN, SPACES)
    return find_development(frame(*rows), SPACES, hashes).rows(named=True)


def test_each_kind_is_found_by_itself():
    rows = found(
        ("other", "table", "aa", None, None),
        ("ISIC_2", "ham10000", "zz", None, None),
        ("ISIC_3", "ham10000", "yy", "L_2", None),
        ("ISIC_4", "isic2020", None, None, "IP_1"),
        ("ISIC_5", "isic2020", "xx", "L_5", "IP_5"),
    )
    kinds = [{k[3:]: v for k, v in row.items() if k != "image_id" and v} for row in rows]
    assert kinds == [
        {"content": "train"},
        {"image_id": "test"},
        {"lesion_id": "test"},
        {"patient_id": "train"},
        {},
    ]
    assert [row["image_id"] for row in rows] == ["other", "ISIC_2", "ISIC_3", "ISIC_4", "ISIC_5"]


def test_names_of_own_tables_say_nothing_elsewhere():
    rows = found(("mine", "table", "zz", "L_9", "P_9"), ("mine", "isic2020", "zz", "L_9", "P_9"))
    assert all(value is None for row in rows for key, value in row.items() if key != "image_id")
    (copy,) = found(("mine", "table", "cc", None, None))
    assert copy["in_content"] == "calibration"


def test_of_several_parts_that_of_the_training_counts():
    known = frame(
        ("a", "table", "aa", None, None),
        ("b", "table", "aa", None, None),
        part=["test", "train"],
    )
    hashes = development_hashes(known, {})
    row = find_development(frame(("c", "table", "aa", None, None)), {}, hashes).row(0, named=True)
    assert row["in_content"] == "train"


def test_a_lesion_is_no_patient_of_the_same_name():
    known = frame(("ISIC_1", "isic2020", None, "X_1", None), part=["train"])
    hashes = development_hashes(known, SPACES)
    stranger = frame(("ISIC_2", "isic2020", None, None, "X_1"))
    assert find_development(stranger, SPACES, hashes)["in_patient_id"].to_list() == [None]


def test_the_file_names_nobody_and_comes_back(tmp_path):
    hashes = development_hashes(KNOWN, SPACES)
    write_development(hashes, tmp_path / "d.parquet")
    assert read_development(tmp_path / "d.parquet").equals(hashes)
    content = (tmp_path / "d.parquet").read_bytes()
    assert not any(name in content for name in (b"ISIC_1", b"IP_1", b"mine", b"L_2"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"nonsense" * 99])
def test_what_is_no_table_is_refused(content, tmp_path):
    (tmp_path / "d.parquet").write_bytes(content)
    with pytest.raises(BundleError):
        read_development(tmp_path / "d.parquet")
