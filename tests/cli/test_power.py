"""melanoscope power: stated designs by simulation, runs by their own variances."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from melanoscope.stats.binormal_scores import StudyDesign
from melanoscope.stats.power_auroc import patients_needed

from .conftest import Call

STATED = ("--auroc", 0.75, "--difference", 0.15, "--prevalence", 0.3, "--simulations", 200)
SKILL = {
    ("vgg16", "scratch"): 0.5,
    ("vgg16", "finetune"): 1.5,
    ("resnet50", "finetune"): 3.0,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., Path]) -> Path:
    return writer(tmp_path_factory.mktemp("power") / "run", SKILL, photographs=200, folds=2)


def test_stated_values_are_those_of_the_design(call: Call) -> None:
    words = ("--correlation", 0.2, "--photographs-per-patient", 2, "--intraclass", 0.4)
    words += ("--same-outcome", "--power", 0.7, "--alpha", 0.1, "--most", 300, "--seed", 3)
    status, out, err = call("power", *STATED, *words, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    design = StudyDesign(
        auroc=(0.75, 0.9),
        correlation=0.2,
        prevalence=0.3,
        photographs=2,
        intraclass=0.4,
        outcome_of_patient=True,
    )
    named = {"power": 0.7, "alpha": 0.1, "most": 300, "simulations": 200, "seed": 3}
    found = patients_needed(design, **named)
    assert (told["needed"], told["low"], told["high"]) == (found.needed, found.low, found.high)
    assert (told["alpha"], told["asked"], told["most"]) == (0.1, 0.7, 300)
    assert told["simulations"] == 200
    assert told["design"]["photographs"] == 2
    assert [one["patients"] for one in told["points"]] == [one.patients for one in found.points]


def test_what_a_person_reads(call: Call) -> None:
    status, out, _ = call("power", *STATED)
    assert status == 0
    needed = json.loads(call("power", *STATED, "--json")[1])["needed"]
    assert f"{needed} patients, with " in out
    assert "power 0.8 at the two-sided level 0.05" in out
    assert "200 simulated studies" in out
    out = call("power", *STATED, "--difference", 0.05, "--most", 60)[1]
    assert "more than 60 patients" in out


def test_a_run_says_how_its_networks_vary(call: Call, run: Path) -> None:
    status, out, err = call("power", "--run", run, "--difference", 0.05, "--power", 0.9, "--json")
    assert (status, err) == (0, "")
    pairs = json.loads(out)["pairs"]
    assert {pair["first"] for pair in pairs} == {"resnet50-finetune"}
    assert {pair["second"] for pair in pairs} == {"vgg16-scratch", "vgg16-finetune"}
    predictions = pl.read_parquet(run / "predictions.parquet")
    for pair in pairs:
        needed = pair["needed"]
        reach = (norm.isf(0.025) + norm.ppf(0.9)) * needed["standard_error"] / 0.05
        assert needed["needed"] == pytest.approx(needed["groups"] * reach**2)
        assert needed["low"] < needed["needed"] < needed["high"]
        assert pair["power_now"] == pytest.approx(
            norm.cdf(0.05 / needed["standard_error"] - norm.isf(0.025))
        )
        assert needed["groups"] == 67  # three photographs of a patient
        areas = [pooled(predictions, pair[name]) for name in ("first", "second")]
        assert needed["seen"] == pytest.approx(areas[1] - areas[0])
    named = ("--networks", "vgg16-scratch,vgg16-finetune")
    (pair,) = json.loads(call("power", "--run", run, *named, "--json")[1])["pairs"]
    assert (pair["first"], pair["second"]) == ("vgg16-scratch", "vgg16-finetune")
    assert pair["needed"]["difference"] == 0.02


def pooled(predictions: pl.DataFrame, network: str) -> float:
    """Share of right pairs within folds, by scikit-learn."""
    backbone, transfer = network.split("-")
    right = pairs = 0.0
    for (_,), fold in predictions.filter(backbone=backbone, transfer=transfer).group_by("fold"):
        positives = fold["target"].sum()
        count = positives * (fold.height - positives)
        right += count * roc_auc_score(fold["target"], fold["probability"])
        pairs += count
    return right / pairs


def test_a_run_in_words(call: Call, run: Path) -> None:
    status, out, _ = call("power", "--run", run)
    assert status == 0
    assert "differ by 0.02 AUROC, with power 0.8" in out
    assert "67 patients" in out
    assert "\N{HORIZONTAL ELLIPSIS}" not in out


def test_networks_that_never_differ_leave_the_others(
    call: Call, writer: Callable[..., Path], tmp_path: Path
) -> None:
    """A network whose answers are those of the best is said so, beside the others' numbers."""
    from tests.conftest import record_all

    run = writer(tmp_path / "run", SKILL, photographs=200, folds=2)
    table = pl.read_parquet(run / "predictions.parquet")
    best = table.filter(backbone="resnet50")
    copied = best.with_columns(backbone=pl.lit("vgg16"))
    kept = table.filter(~((pl.col("backbone") == "vgg16") & (pl.col("transfer") == "finetune")))
    pl.concat([kept, copied]).write_parquet(run / "predictions.parquet")
    record_all(run)
    status, out, err = call("power", "--run", run)
    assert status == 0, err
    assert "found the same ranks" in out
    words = ("--networks", "vgg16-finetune,resnet50-finetune")
    status, _, err = call("power", "--run", run, *words)
    assert status == 1
    assert "the same ranks" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "--run, or --auroc and --prevalence; found neither"),
        (("--auroc", 0.8), "found one of the two"),
        (("--run", "{run}", "--auroc", 0.8), "found both"),
        ((*STATED, "--photographs-per-patient", 3), "--intraclass with 3"),
        ((*STATED, "--auroc", 0.9), "two AUROCs between 0 and 1"),
        ((*STATED, "--difference", 0), "two AUROCs that differ"),
        ((*STATED, "--simulations", 10**9), "simulations"),
        ((*STATED, "--seed", -1), "a seed from 0"),
        ((*STATED, "--most", 10**9), "photographs of all patients"),
        (("--run", "{run}", "--networks", "vgg16-finetun"), "nearest: vgg16-finetune"),
        (("--run", "{run}", "--networks", "vgg16-finetune"), "two finished networks"),
        (("--run", "{run}", "--difference", 2), "a difference between 0 and 1"),
        (("--run", "absent"), "none at"),
    ],
)
def test_what_cannot_be_answered(call: Call, run: Path, words: tuple, why: str) -> None:
    status, out, err = call("power", *(str(word).format(run=run) for word in words))
    assert (status, out) == (1, "")
    assert why in err
    assert err.count("\n") == 1


def test_the_posters_protocol_is_refused(
    call: Call, writer: Callable[..., Path], tmp_path: Path
) -> None:
    run = writer(tmp_path / "run", SKILL, photographs=60, folds=2)
    record = json.loads((run / "run.json").read_text())
    record["configuration"]["protocol"] = "poster"
    (run / "run.json").write_text(json.dumps(record))
    assert "corrected protocol" in call("power", "--run", run)[2]


def test_it_runs_without_what_trains(run: Path) -> None:
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('torch', 'sklearn', 'skimage', 'captum', 'safetensors'):\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from melanoscope.cli import main\n"
        "main()\n"
    )
    for words in (("--run", str(run)), tuple(map(str, STATED))):
        done = subprocess.run(
            [sys.executable, "-c", code, "power", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
