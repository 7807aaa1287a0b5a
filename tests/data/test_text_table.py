"""Archives' tables as text: found under their names, read under ours."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from melanoscope.data.sources.text_table import find_table, matching_table, read_table
from melanoscope.errors import DataError

NAMES = ("HAM10000_metadata.csv", "HAM10000_metadata")


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "HAM10000_metadata.csv",
        "HAM10000_metadata",
        "HAM10000_metadata.tab",
        "HAM10000_metadata.tsv",
        "HAM10000_metadata.csv.gz",
        "HAM10000_metadata.xlsx",
        "ham10000_METADATA.CSV",
    ],
)
def test_a_table_under_its_names(tmp_path, name):
    write(tmp_path / f"._{name}", "of macOS")
    write(tmp_path / "HAM10000_metadata_old.csv", "another")
    assert matching_table(tmp_path, NAMES) is None
    write(tmp_path / name, "a")
    assert find_table(tmp_path, NAMES, "ham10000") == tmp_path / name


def test_the_names_own_order_comes_first(tmp_path):
    for name in ("b.csv", "A.CSV", "a.tab"):
        write(tmp_path / name, "x")
    assert matching_table(tmp_path, ("a.csv", "b.csv")) == tmp_path / "b.csv"
    assert matching_table(tmp_path, ("a.csv", "c.csv")) == tmp_path / "A.CSV"


def test_columns_by_several_names(tmp_path):
    path = write(tmp_path / "t.csv", "Anatom_Site_1 ,id,age_approx\n Trunk ,a, \nx,b,45\n")
    text = read_table(
        path,
        {"image_id": ("image", "id"), "site": ("anatom_site_general", "anatom_site_1")},
        {"age": "age_approx", "sex": "sex"},
    )
    assert text.frame.to_dict(as_series=False) == {
        "image_id": ["a", "b"],
        "site": ["Trunk", "x"],
        "age": [None, "45"],
        "sex": [None, None],
        "line": [2, 3],
    }
    assert text.names == {"image_id": "id", "site": "Anatom_Site_1", "age": "age_approx"}
    assert text.notes == ()


@pytest.mark.parametrize("count", [1, 19_999, 20_000, 20_001, 45_000])
def test_tables_of_any_length(tmp_path, count):
    rows = "".join(f"{number},{number % 7}\n" for number in range(count))
    path = write(tmp_path / "t.csv.gz", gzip.compress(("a,b\n" + rows).encode()))
    frame = read_table(path, {"b": "b"}).frame
    assert frame.columns == ["b", "line"]
    assert frame["line"].to_list() == list(range(2, count + 2))
    assert frame["b"].to_list() == [str(number % 7) for number in range(count)]


def test_a_table_with_none_of_the_columns(tmp_path):
    frame = read_table(write(tmp_path / "t.csv", "a\n1\n2\n"), {}, {"x": "x"}).frame
    assert frame.to_dict(as_series=False) == {"x": [None, None], "line": [2, 3]}


def test_all_accepted_names_are_in_the_error(tmp_path):
    path = write(tmp_path / "t.csv", "pathh,b\n1,2\n")
    with pytest.raises(DataError, match=r"'path' or 'image' in .*nearest: pathh"):
        read_table(path, {"path": ("path", "image")})


def test_every_column_that_is_not_read(tmp_path):
    path = write(tmp_path / "t.csv", "path,patient,note\na,b,c\n")
    columns, optional = {"path": "path"}, {"patient_id": "patient_id"}
    assert read_table(path, columns, optional).notes == ()
    assert read_table(path, columns, optional, say_unread=True).notes == (
        (
            "column 'patient' is not read; the nearest known is 'patient_id'; if it is that, say "
            "--columns patient_id=patient"
        ),
        "column 'note' is not read",
    )
