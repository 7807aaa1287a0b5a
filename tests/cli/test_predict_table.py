"""melanoscope predict --table: one row out for each row in."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Call


def test_a_table_has_one_row_out_for_each_row_in(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    table = tmp_path / "photos.csv"
    table.write_text(
        f"photograph,age,who\n{simulated_photograph},45,a\nabsent.jpg,,b\n{simulated_photograph},999,c\n"
    )
    out_file = tmp_path / "out.csv"
    status, _, err = call("predict", small_bundle, "--table", table, "--out", out_file)
    assert status == 0, err
    import csv

    with out_file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["who"] for row in rows] == ["a", "b", "c"]
    assert "no file" in rows[1]["error"]
    assert "an age" in rows[2]["error"]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_why_rows_of_a_table_failed(call: Call, small_bundle, tmp_path, words):
    """No row answered is no success; what was not answered is said once for each reason."""
    table = tmp_path / "photos.csv"
    table.write_text("photograph;site;gender\na.jpg;elbo;F\nb.jpg;elbo;F\nc.jpg;back;F\n")
    status, out, err = call(
        "predict", small_bundle, "--table", table, "--out", tmp_path / "out.csv", *words
    )
    assert status == 1
    said = [line for line in err.splitlines() if line.startswith("melanoscope:")]
    mend = f"check the name, which is taken relative to the folder '{tmp_path}'"
    assert said == [
        "melanoscope: note: column 'gender' is read as sex",
        "melanoscope: 2 rows failed: expected a known site; found 'elbo' (2); nearest: elbow",
        f"melanoscope: 1 row failed: expected a whole photograph; found no file (1); {mend}",
    ]
    if words:
        told = json.loads(out)
        assert [one["rows"] for one in told["failures"]] == [2, 1]
        assert told["notes"] == ["column 'gender' is read as sex"]
    else:
        assert "3 rows, 0 accepted" in out


def test_a_table_that_was_killed_goes_on_to_the_same_bytes(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    table = tmp_path / "photos.csv"
    rows = [f"{simulated_photograph},{row % 90}" for row in range(800)]
    table.write_text("photograph,age\n" + "\n".join(rows) + "\n")
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    words = ("predict", small_bundle, "--table", table, "--out")
    killed = subprocess.Popen(
        [sys.executable, "-m", "melanoscope.cli", *map(str, words), torn],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    partial = torn.with_name(f".{torn.name}.partial")
    while not (partial.exists() and partial.stat().st_size > 10_000):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not torn.exists()
    status, out, err = call(*words, torn, "--json")
    assert status == 0, err
    assert 0 < json.loads(out)["kept"] < 800
    assert call(*words, whole)[0] == 0
    assert torn.read_bytes() == whole.read_bytes()


def test_names_of_a_table_in_another_folder(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    photograph = Path(simulated_photograph)
    table = tmp_path / "elsewhere" / "photos.csv"
    table.parent.mkdir()
    table.write_text(f"photograph,age\n{photograph.name},40\n")
    out = tmp_path / "out.csv"
    status, _, err = call("predict", small_bundle, "--table", table, "--out", out)
    assert status == 1
    assert str(table.parent) in err
    out.unlink()
    given = ("--folder", photograph.parent)
    assert call("predict", small_bundle, "--table", table, "--out", out, *given)[0] == 0
