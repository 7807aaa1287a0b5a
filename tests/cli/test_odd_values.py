"""No option of any command ends in a traceback: status 0, one line and 1, or usage and 2."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from melanoscope.errors import MelanoscopeError
from tests.service.conftest import photograph
from tests.service.pretend import Pretended, pretended_bundle

from .conftest import Call
from .odd_values import NOT_UTF8, Bases, TooSlowError, commands, odd_calls, time_limit

SMALL = ["--transfer", "scratch", "--size", "32", "--epochs", "1"]
LITTLE = ["--simulations", "100", "--most", "200"]
SECONDS = 60.0
EVERY = 80  # of the short form
SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6}


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Callable[..., Path]) -> Bases:
    """Words of each command that are good, where what takes long is left out.

    Everything before the first training runs: archives are read, folders are made and locked.
    """

    def too_long(*_: object, **__: object) -> None:
        raise MelanoscopeError("no more", "what takes long", "end here")

    bundle = tmp_path / "bundle"
    predictor = Pretended(pretended_bundle(bundle, explains=False))
    predictor.variant = "float32"
    for name in ("benchmark.run.run_cell", "export.trained_model.run_cell"):
        monkeypatch.setattr(f"melanoscope.{name}", too_long)
    monkeypatch.setattr("melanoscope.report.from_run.build", too_long)
    monkeypatch.setattr("melanoscope.benchmark.demo.SIMULATED_PHOTOGRAPHS", 24)
    monkeypatch.setattr("melanoscope.inference.predictor.load", lambda *_, **__: predictor)
    monkeypatch.setattr("melanoscope.service.server._Server.run", lambda *_, **__: None)
    for name in ("configure_logging", "_return_memory_early", "sys.setswitchinterval"):
        monkeypatch.setattr(f"melanoscope.service.server.{name}", lambda *_: None)
    monkeypatch.setattr("socket.getaddrinfo", _address)
    photo, table = tmp_path / "p.jpg", tmp_path / "table.csv"
    photo.write_bytes(photograph())
    table.write_text(f"photograph\n{photo}\n")
    run = str(writer(tmp_path / "run", SKILL, folds=2, photographs=40))
    answers = [str(tmp_path / f"{name}.csv") for name in "ab"]
    for step, file in enumerate(answers):
        rows = [f"i{i},{(i * (7 + step) % 41 + 9 * (i % 2)) / 50},{i % 2}" for i in range(40)]
        Path(file).write_text("\n".join(["image_id,probability,target", *rows]))
    here = tmp_path / "in" / "here"  # new for each call
    out, data = ["--out", str(here / "out")], ["--data", "simulated=24"]
    return {
        "benchmark": [[*data, *out, "--backbones", "standard_cnn", "--folds", "2", *SMALL]],
        "train": [[*data, *out, "--backbone", "standard_cnn", *SMALL]],
        "export": [[run, *out, "--best"]],
        "predict": [
            [str(bundle), str(photo), "--explain", str(here / "why")],
            [str(bundle), "--table", str(table), "--out", str(here / "out.csv")],
        ],
        "report": [[run]],
        "evaluate": [[str(bundle), *data, *out]],
        "compare": [[*answers, *out, "--positive", "positive", "--replicates", "100"]],
        "power": [
            ["--auroc", "0.7", "--difference", "0.2", "--prevalence", "0.3", *LITTLE],
            ["--run", run],
        ],
        "demo": [out],
        "serve": [[str(bundle), "--port", "0"]],
        "keygen": [["--out", str(here / "secret.key"), "--no-passphrase"]],
        "data summary": [data],
        "data audit": [[*data, *out]],
        "data kinds": [[]],
        "version": [[]],
    }


def _address(host: str, port: int, **_: object) -> list[tuple]:
    """Be `socket.getaddrinfo` without asking a network."""
    host.encode("idna")
    if host != "127.0.0.1":
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]


@pytest.fixture
def calls(bases: Bases, tmp_path: Path) -> list[list[str]]:
    assert set(bases) == {name for name, _ in commands()}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("notes")
    places = {"folder": folder, "file": tmp_path / "p.jpg", "absent": tmp_path / "absent" / "x"}
    return list(odd_calls(bases, places))


def wrong_calls(
    call: Call, calls: Iterable[list[str]], here: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Make the calls, each in a new folder, and say which ended as none may end."""
    wrong = []
    for words in calls:
        os.chdir(here.parents[1])
        shutil.rmtree(here.parent, ignore_errors=True)
        here.mkdir(parents=True)
        monkeypatch.chdir(here)  # where relative names lead
        try:
            with time_limit(SECONDS):
                status, _, err = call(*words)
        except (Exception, TooSlowError) as error:  # noqa: BLE001 - tracebacks are looked for
            wrong.append(f"{words}: {error!r}")
            continue
        lines = [line for line in err.splitlines() if line.startswith("melanoscope: expected")]
        if status not in (0, 1, 2) or (status == 1 and len(lines) != 1):
            wrong.append(f"{words}: status {status}, {err[-300:]!r}")
    return wrong


@pytest.mark.torture
def test_no_odd_value_ends_in_a_traceback(
    call: Call, calls: list[list[str]], tmp_path: Path, monkeypatch, record_property
) -> None:
    assert len(calls) > 1000
    record_property("calls", len(calls))
    wrong = wrong_calls(call, calls, tmp_path / "in" / "here", monkeypatch)
    assert not wrong, "\n".join(wrong)


def test_some_odd_values_of_each_kind(
    call: Call, calls: list[list[str]], tmp_path: Path, monkeypatch
) -> None:
    """Every eightieth call, and each output without a name of its own."""
    nameless = [words for words in calls if words[-2] == "--out" and words[-1] in ("", NOT_UTF8)]
    assert len(nameless) > 10
    wrong = wrong_calls(call, [*calls[::EVERY], *nameless], tmp_path / "in" / "here", monkeypatch)
    assert not wrong, "\n".join(wrong)
