"""Commands called as from a shell, in this process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from melanoscope import cli

Outcome = tuple[int, str, str]
Call = Callable[..., Outcome]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all commands: what lies in it is named by its content."""
    return tmp_path_factory.mktemp("commands") / "cache"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cache: Path) -> Call:
    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["melanoscope", *map(str, words)])
        monkeypatch.setenv("MELANOSCOPE_CACHE", str(cache))
        monkeypatch.delenv("MELANOSCOPE_DEBUG", raising=False)
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        finally:
            os.environ.pop("MELANOSCOPE_DEBUG", None)  # --debug sets it for the whole process
        out, err = capsys.readouterr()
        return status, out, err

    return run


def answers(text: str) -> list[dict]:
    """Return the answers of a document that `predict --json` printed."""
    return json.loads(text)["answers"]
