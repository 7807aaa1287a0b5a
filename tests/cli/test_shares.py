"""melanoscope benchmark --shares: the options reach the run, and the report answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Call

TINY = (
    *("--data", "simulated=60", "--backbones", "standard_cnn", "--transfer", "scratch"),
    *("--folds", "2", "--epochs", "1", "--size", "32", "--batch-size", "16"),
)


def test_shares_and_draws_reach_the_run(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ("--shares", "0.3,0.5,0.7,1", "--draws", 2, "--out", out, "--json")
    status, printed, err = call("benchmark", *TINY, *words)
    assert status == 0, err
    section = json.loads(printed)["evidence"]["sample_size"]
    assert section["draws"] == 2
    (network,) = section["networks"]
    assert [point["share"] for point in network["points"]] == [0.3, 0.5, 0.7, 1.0]
    assert network["words"].startswith("+0.01 AUROC")
    folders = sorted(folder.name for folder in (out / "shares").iterdir())
    assert folders == ["0.3", "0.5", "0.7"]
    for folder in (out, *(out / "shares" / name for name in folders)):
        assert json.loads((folder / "run.json").read_text())["configuration"]["seeds"] == 2
    assert err.count("AUROC") == 16  # four shares, two folds, two draws
    # A share is a run: its report says that it is one size only.
    status, printed, _ = call("report", out / "shares" / "0.3", "--replicates", 100)
    assert status == 0
    page = out / "shares" / "0.3" / "report" / "index.html"
    assert "Trained on 0.3 of the training patients" in page.read_text("utf-8")
    assert "one size of a learning curve" not in (out / "report" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--shares", "0.1,0.5"), "4 shares or more"),
        (("--shares", "0.1,0.25,0.5,1", "--draws", 1), "--draws of"),
        (("--shares", "0.1,0.25,0.5,1", "--protocol", "poster"), "--protocol or --shares"),
    ],
)
def test_what_makes_no_curve_is_refused_before_anything(
    call: Call, tmp_path: Path, words: tuple, why: str
) -> None:
    status, _, err = call("benchmark", *TINY, "--out", tmp_path / "run", *words)
    assert status == 1
    assert why in err
    assert not (tmp_path / "run").exists()
