"""No option of any command ends in a traceback: status 0, one line and 1, or usage and 2."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from melanoscope.errors import MelanoscopeError
from tests.service.conftest import photograph
from tests.service.pretend import Pretended, pretended_bundle

from .conftest import Call
from .odd_values import commands, odd_calls

SMALL = ["--transfer", "scratch", "--size", "32", "--epochs", "1"]


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Words of each command that are good, where what takes long is left out."""

    def too_long(*_: object, **__: object) -> None:
        raise MelanoscopeError("no more", "what takes long", "end here")

    predictor = Pretended(pretended_bundle(tmp_path / "bundle", explains=False))
    for name in (
        *("benchmark.run.run_benchmark", "report.build.build", "audit.audit.run_audit"),
        *("export.trained_model.train_model", "export.trained_model.model_from_run"),
    ):
        monkeypatch.setattr(f"melanoscope.{name}", too_long)
    monkeypatch.setattr("melanoscope.inference.predictor.load", lambda *_, **__: predictor)
    monkeypatch.setattr("melanoscope.service.server._Server.run", lambda *_, **__: None)
    for name in ("configure_logging", "_return_memory_early", "sys.setswitchinterval"):
        monkeypatch.setattr(f"melanoscope.service.server.{name}", lambda *_: None)
    monkeypatch.setattr("socket.getaddrinfo", _address)
    photo = tmp_path / "p.jpg"
    photo.write_bytes(photograph())
    out = ["--out", str(tmp_path / "out")]
    data, bundle = ["--data", "simulated=12"], str(tmp_path / "bundle")
    return {
        "benchmark": [*data, *out, "--backbones", "standard_cnn", *SMALL],
        "train": [*data, *out, "--backbone", "standard_cnn", *SMALL],
        "export": [bundle, *out, "--best"],
        "predict": [bundle, str(photo), "--explain", str(tmp_path / "why")],
        "report": [bundle],
        "demo": out,
        "serve": [bundle, "--port", "0"],
        "data summary": data,
        "data audit": [*data, *out],
        "data kinds": [],
        "version": [],
    }


def _address(host: str, port: int, **_: object) -> list[tuple]:
    """Be `socket.getaddrinfo` without asking a network."""
    host.encode("idna")
    if host != "127.0.0.1":
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]


@pytest.mark.torture
@pytest.mark.parametrize("most", [100])
def test_no_odd_value_ends_in_a_traceback(
    call: Call, bases: dict[str, list[str]], tmp_path: Path, monkeypatch, most: int
) -> None:
    monkeypatch.chdir(tmp_path)  # where relative names lead
    assert set(bases) == {name for name, _ in commands()}
    absent = tmp_path / "absent" / "x"
    places = {"folder": tmp_path, "file": tmp_path / "p.jpg", "absent": absent}
    wrong, calls = [], list(odd_calls(bases, places, most))
    assert len(calls) > 200
    for words in calls:
        try:
            status, _, err = call(*words)
        except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
            wrong.append(f"{words}: {error!r}")
            continue
        lines = [line for line in err.splitlines() if line.startswith("melanoscope: expected")]
        if status not in (0, 1, 2) or (status == 1 and len(lines) != 1):
            wrong.append(f"{words}: status {status}, {err[-300:]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(os.name != "posix", reason="names of other systems are no bytes")
def test_a_cache_that_tables_cannot_name_is_one_line(call: Call) -> None:
    status, _, err = call("data", "summary", "--data", "simulated=12", "--cache", "a\udcff")
    assert status == 1
    assert "a folder with a name in UTF-8" in err
