"""The statistics against R's numbers kept by benchmarks/r_oracles.py, and against R where it is."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import r_oracles  # noqa: E402 - a script beside the package
from r_oracles_parts.inputs import Inputs, inputs  # noqa: E402

KEPT = json.loads((ROOT / r_oracles.FIXTURE).read_text())


@pytest.fixture(scope="module")
def given() -> Inputs:
    return inputs()


def test_inputs_are_those_that_r_was_given(given: Inputs) -> None:
    assert given.digest() == KEPT["inputs"], f"run `{r_oracles.COMMAND}` where R is"


@pytest.mark.parametrize("quantity", r_oracles.QUANTITIES, ids=lambda q: q.name)
def test_package_says_what_r_says(quantity: r_oracles.Quantity, given: Inputs) -> None:
    theirs = KEPT["values"][quantity.name]
    ours = [float(value) for value in quantity.compute(given)]
    assert ours == pytest.approx(theirs, rel=quantity.tolerance, abs=quantity.tolerance * 1e-3)
    assert theirs != pytest.approx([0.0] * len(theirs)), "nothing would be compared"


def test_published_table_is_of_these_numbers(given: Inputs) -> None:
    result = json.loads((ROOT / r_oracles.RESULT).read_text())
    page = (ROOT / r_oracles.RESULT).with_suffix(".md").read_text()
    assert page == r_oracles.markdown(result)
    assert [row["name"] for row in result["quantities"]] == [q.name for q in r_oracles.QUANTITIES]
    assert all(row["difference"] <= row["tolerance"] for row in result["quantities"])
    assert result["r"] == KEPT["r"]


def test_a_number_that_is_off_is_found(given: Inputs) -> None:
    values = {name: list(numbers) for name, numbers in KEPT["values"].items()}
    values["auroc"][0] += 1e-6
    rows = {row["name"]: row for row in r_oracles.compare(given, values)}
    assert rows["auroc"]["difference"] > rows["auroc"]["tolerance"]
    del values["auroc"]
    rows = {row["name"]: row for row in r_oracles.compare(given, values)}
    assert rows["auroc"]["compared"].startswith("skipped")


def test_without_r_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["r_oracles.py", "--folder", str(tmp_path)])
    assert r_oracles.main() == 0
    assert capsys.readouterr().out.startswith("skipped")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no Rscript on this machine")
def test_r_still_says_so(given: Inputs) -> None:
    versions, values = r_oracles.ask_r(given)
    compared = [name for name in values if name in KEPT["values"]]
    assert {"auroc", "holm", "t_quantiles"} <= {*compared} or "absent" in versions.values()
    for name in compared:
        # Draws of the multivariate t and of bootstraps differ between versions of R.
        assert values[name] == pytest.approx(KEPT["values"][name], rel=0.02, abs=1e-6), name
