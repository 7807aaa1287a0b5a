"""Cores that may be used, and OpenMP's settings in place before PyTorch is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from melanoscope import hardware

_SPINNING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def spinning_after(statement: str, **user: str) -> dict[str, str | None]:
    """Return OpenMP's settings, as a fresh process has them when it first asks for PyTorch."""
    code = f"""
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "onnxruntime", "scipy", "sklearn") and "torch" not in seen:
            seen["torch"] = [os.environ.get(key, "") for key in {_SPINNING!r}]
seen = {{}}
sys.meta_path.insert(0, Watch())
{statement}
print(*seen.get("torch", [os.environ.get(key, "") for key in {_SPINNING!r}]), sep="|")
"""
    own = {key: value for key, value in os.environ.items() if key not in _SPINNING}
    done = subprocess.run(
        [sys.executable, "-c", code], env=own | user, capture_output=True, text=True, check=True
    )
    values = done.stdout.strip().splitlines()[-1].split("|")
    return {key: value or None for key, value in zip(_SPINNING, values, strict=True)}


@pytest.mark.parametrize(
    "statement",
    ["import melanoscope", "import melanoscope.training.fit", "import melanoscope.cli"],
)
def test_openmp_is_told_before_pytorch_is_imported(statement: str) -> None:
    expected = str(hardware.OPENMP_SPIN_COUNT)
    assert spinning_after(statement) == {"GOMP_SPINCOUNT": expected, "OMP_WAIT_POLICY": None}


@pytest.mark.parametrize(
    "user",
    [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}],
    ids=lambda user: next(iter(user)),
)
def test_what_the_user_has_set_is_kept(user: dict[str, str]) -> None:
    assert spinning_after("import melanoscope", **user) == dict.fromkeys(_SPINNING) | user


def quota(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    (folder / "cpu.max").write_text(text)
    monkeypatch.setattr(hardware, "_CGROUPS", folder)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("text", "cores"),
    [("150000 100000\n", 2), ("max 100000\n", 8), ("1600000 100000", 8), ("1000 100000", 1)],
)
def test_cores_are_those_of_the_affinity_or_of_a_smaller_quota(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, cores: int
) -> None:
    quota(monkeypatch, tmp_path, text)
    assert hardware.available_cores() == cores


def test_without_affinity_and_quota_all_cores_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hardware, "_CGROUPS", tmp_path)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert hardware.available_cores() == 1
