"""The command line: quick, one line for each mistake, nothing but JSON on stdout with --json."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Call, Outcome


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['melanoscope', '--help']\n"
        "from melanoscope.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning_fabric', 'polars', 'numpy', 'matplotlib'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "benchmark" in done.stdout


def test_defaults_of_heavy_rooms_are_theirs() -> None:
    """`TrainConfig` and `BenchmarkConfig` hold the others; these would be slow to import."""
    import inspect

    from melanoscope.cli import bundles, comparison
    from melanoscope.export.bundle_writer import ExportSettings
    from melanoscope.runs.results import PREVALENCE
    from melanoscope.stats.bootstrap.group_weights import REPLICATES

    report = inspect.signature(comparison.report).parameters
    assert report["replicates"].default == REPLICATES
    assert inspect.signature(bundles.train).parameters["int8"].default == ExportSettings.int8
    # None: that of ISIC 2020 for melanoma, else that of the data.
    assert ExportSettings.prevalence is None
    (option,) = bundles.PrevalenceOption.__metadata__
    for text in (option.help, report["prevalence"].annotation):
        assert f"{PREVALENCE:.4f}" in text


def test_every_kind_of_archive_is_listed_and_stands_in_the_readme(call: Call) -> None:
    from melanoscope.data.sources import ARCHIVES

    status, out, _ = call("data", "kinds")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 100
    kinds = {kind["kind"]: kind for kind in json.loads(call("data", "kinds", "--json")[1])["kinds"]}
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    for name, archive in ARCHIVES.items():
        assert f"{name}: {archive.title}\n  files: " in out
        assert kinds[name]["files"]
        assert kinds[name]["licence"]
        assert set(archive.leaks) == set(kinds[name]["never_read"])
        assert f"| `{name}` |" in readme
    # The column that says the label may have either name.
    assert {"target", "malignant"} <= set(kinds["isic2024"]["columns"])


TABLE = "path,target,patient_id\n" + "".join(f"{i}.jpg,{i % 2},{i}\n" for i in range(6))
BENCHMARK = ("--backbones", "standard_cnn", "--transfer", "scratch", "--size", "32")


def own_table(folder: Path, text: str = TABLE) -> str:
    import numpy as np

    from melanoscope.imaging.decode import write_image

    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8)
        write_image(folder / f"{i}.jpg", pixels)
    (folder / "own.csv").write_text(text)
    return f"table={folder / 'own.csv'}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (TABLE.replace("path", "foto"), "'path'"),
        (TABLE.replace("1.jpg", "0.jpg"), "one row per image id"),
        (TABLE.replace(",1,", ",7,"), "0 or 1"),
        (TABLE.replace(",1,", ",0,"), "both classes"),
        ("", "an empty file"),
    ],
    ids=["no column", "one id twice", "label outside", "one class", "empty"],
)
def test_bad_tables(call: Call, tmp_path: Path, text: str, hint: str) -> None:
    data = own_table(tmp_path, text)
    out = tmp_path / "run"
    refused(call("benchmark", "--data", data, "--out", out, *BENCHMARK), hint)
    assert not out.exists()


def refused(outcome: Outcome, hint: str) -> None:
    status, out, err = outcome
    lines = [line for line in err.splitlines() if line.startswith("melanoscope:")]
    assert status == 1
    assert out == ""
    assert len(lines) == 1, err
    assert "expected" in lines[0]
    assert "found" in lines[0]
    assert hint in lines[0]
    assert "Traceback" not in err


def test_bad_arguments(call: Call, tmp_path: Path) -> None:
    data = own_table(tmp_path)
    out = ("--out", tmp_path / "run")
    refused(call("benchmark", "--data", "isic2020=/nowhere", *out, *BENCHMARK), "'/nowhere'")
    refused(call("benchmark", "--data", "isik2020=x", *out, *BENCHMARK), "isic2020")
    refused(call("benchmark", "--data", data, *out, *BENCHMARK, "--folds", 4), "at most 3 folds")
    refused(call("benchmark", "--data", data, *out, "--backbones", "resnet5"), "resnet50")
    refused(call("benchmark", "--data", data, *out, *BENCHMARK[:2], "--transfer", "x"), "scratch")
    refused(call("report", tmp_path / "absent"), "run.json")
    refused(call("demo", "--data", tmp_path / "absent"), "folder")
    assert not (tmp_path / "run").exists()


def test_wrong_usage_is_status_2(call: Call) -> None:
    assert call("benchmark", "--nonsense")[0] == 2
    assert call("nonsense")[0] == 2


def test_debug_shows_the_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from melanoscope.errors import DataError

    with pytest.raises(DataError):
        call("--debug", "data", "summary", "--data", "x=y")
    monkeypatch.delenv("MELANOSCOPE_DEBUG", raising=False)


def test_summary_as_json_is_one_document(call: Call, tmp_path: Path) -> None:
    data = own_table(tmp_path)
    (tmp_path / "3.jpg").write_bytes(b"")
    (tmp_path / "4.jpg").unlink()
    status, out, _ = call("data", "summary", "--data", data, "--json")
    summary = json.loads(out)
    assert status == 0
    assert (summary["rows"], summary["found"], summary["absent"]) == (6, 5, 1)
    assert summary["unreadable"][0]["reason"] == "an empty file"
    assert summary["usable"]["photographs"] == 4
    status, out, _ = call("data", "summary", "--data", data)
    assert status == 0
    assert "an empty file" in out


def test_benchmark_ends_with_its_report(call: Call, tmp_path: Path) -> None:
    words = ("--data", "simulated=60", "--folds", 2, "--epochs", 1, "--out", tmp_path / "run")
    status, out, err = call("benchmark", *words, *BENCHMARK)
    assert status == 0, err
    page = (tmp_path / "run" / "report" / "index.html").read_text()
    assert "says nothing about skin" in page
    assert out.startswith("report: ")
    # As of benchmark --json, which `test_other_targets` asks.
    status, out, err = call("report", tmp_path / "run", "--json")
    assert status == 0, err
    _is_simulated(json.loads(out))


def _is_simulated(result: dict[str, Any]) -> None:
    assert result["simulated"] is True
    auroc = result["rows"][0]["metrics"]["auroc"]
    assert auroc["n"] > 2  # groups, not folds
    assert 0 < auroc["low"] < auroc["estimate"] < auroc["high"] < 1


def test_audit_writes_a_page_and_one_document(call: Call, tmp_path: Path) -> None:
    words = ("data", "audit", "--data", "simulated=30", "--out", tmp_path / "audit", "--json")
    status, out, err = call(*words)
    assert status == 0, err
    document = json.loads(out)
    assert document["photographs"] == 30
    assert document == json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert "Simulated" in (tmp_path / "audit" / "index.html").read_text()


@pytest.mark.parametrize(
    ("target", "plural"),
    [("malignant", "malignant lesions"), ("keratosis=bkl", "lesions of keratosis")],
)
def test_other_targets(call: Call, tmp_path: Path, target: str, plural: str) -> None:
    data = ("--data", "simulated=60", "--target", target, "--json")
    status, out, err = call("data", "summary", *data)
    assert status == 0, err
    positives = json.loads(out)["usable"]["positives"]
    status, out, err = call("data", "audit", *data, "--out", tmp_path / "audit")
    assert status == 0, err
    assert json.loads(out)["positives"] == positives
    assert (
        f"{positives} photographs of {plural}." in (tmp_path / "audit" / "index.html").read_text()
    )
    run = ("--out", tmp_path / "run", "--folds", 2, "--epochs", 1)
    status, out, err = call("benchmark", *data, *run, *BENCHMARK)
    assert status == 0, err
    _is_simulated(json.loads(out))
    assert json.loads(out)["target"]["plural"] == plural
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["data"]["positives"] == positives
    page = (tmp_path / "run" / "report" / "index.html").read_text()
    assert f"60 photographs, {positives} of {plural} (" in page


def test_unknown_targets_are_refused(call: Call, tmp_path: Path) -> None:
    run = ("--data", "simulated=60", "--out", tmp_path / "run", *BENCHMARK)
    refused(call("benchmark", *run, "--target", "malignent"), "malignant")
    refused(call("benchmark", *run, "--target", "k=freckles"), "'freckles'")
    refused(call("benchmark", *run, "--target", "malignant", "--protocol", "poster"), "melanoma")
    refused(call("data", "audit", *run[:2], "--indeterminate", "malignant"), "--target malignant")
    assert not (tmp_path / "run").exists()


def test_report_refuses_a_prevalence_in_per_cent(call: Call, tmp_path: Path) -> None:
    status, out, err = call("report", tmp_path, "--prevalence", 1.8)
    assert status == 1
    assert not out
    assert "a prevalence between 0 and 1; found 1.8; state 1.8 % as 0.018" in err
    assert call("report", tmp_path, "--replicates", 3)[0] == 1


def test_readers_of_runs_do_without_pytorch() -> None:
    """It takes some four seconds and 400 MiB, and the reviewer of a run may not have it."""
    code = (
        "import sys, melanoscope.report.from_run, melanoscope.benchmark.config\n"
        "heavy = {'torch', 'lightning_fabric', 'onnxruntime', 'captum'} & set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
