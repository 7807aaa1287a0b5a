"""What the machine refuses ends a command with one line; faults of ours keep their traceback."""

from __future__ import annotations

import csv
import errno
import os
import sys
from pathlib import Path

import pytest

from melanoscope.cli import options
from melanoscope.errors import RunError
from tests.machine import little_room

from .conftest import Call


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/runs/a.json"), "disk of '/x/runs'"),
        (OSError(errno.EMFILE, "Too many open files", "/x/a.jpg"), "ulimit -n"),
        (MemoryError(), "--batch-size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "--batch-size"),
        (ValueError("IO error: No space left on device (os error 28)"), "a full disk"),
    ],
)
def test_one_line(call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception, word: str) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(sys.modules["melanoscope.cli.app"], "app", refuse)
    status, out, err = call("version")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert word in err
    monkeypatch.setenv("MELANOSCOPE_DEBUG", "1")
    error = ValueError("a fault of ours")
    with pytest.raises(ValueError, match="of ours"):
        call("version")


def test_a_table_that_finds_no_room_goes_on_to_the_same_bytes(
    call: Call, small_bundle: Path, simulated_photograph: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["photograph"], *([simulated_photograph] for _ in range(70))])
    words = ("predict", small_bundle, "--table", table, "--out")
    assert call(*words, tmp_path / "whole.csv")[0] == 0
    size = (tmp_path / "whole.csv").stat().st_size
    for share in (0.0, 0.3, 0.9):
        with little_room(int(share * size) + 900):
            status, _, err = call(*words, tmp_path / "out.csv")
        assert status == 1
        assert os.strerror(errno.EFBIG) in err.splitlines()[-1]
        assert str(tmp_path) in err.splitlines()[-1]
        assert not (tmp_path / "out.csv").exists()
    assert call(*words, tmp_path / "out.csv")[0] == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_user_without_a_home_is_asked_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MELANOSCOPE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(options.Path, "home", homeless)
    with pytest.raises(RunError, match="--cache"):
        options.cache_folder(None)
    assert options.cache_folder(Path("here")) == Path("here")
