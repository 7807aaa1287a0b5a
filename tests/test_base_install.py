"""A clean environment with the base dependencies alone diagnoses photographs, without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """Folder of programs of an environment with the wheel and its base dependencies."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not there to make an environment with")
    home = tmp_path_factory.mktemp("clean") / "env"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home], check=True)
    install = ["pip", "install", "--quiet", "--python", home / "bin" / "python"]
    subprocess.run([uv, *install, "-c", ROOT / "constraints.txt", ROOT], check=True)
    return home / "bin"


def test_torch_is_not_there(clean):
    done = subprocess.run(
        [clean / "python", "-c", "import torch"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_predict_answers_and_explains(clean, small_bundle, simulated_photograph, tmp_path):
    done = subprocess.run(
        [
            *(clean / "melanoscope", "predict", small_bundle, simulated_photograph, "--force"),
            *("--json", "--explain", tmp_path / "why", "--steps", "8"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (answer,) = json.loads(done.stdout)["answers"]
    assert 0 < answer["probability"] < 1
    assert all(Path(name).is_file() for name in answer["pictures"])


def test_the_two_lines_of_the_readme(clean, small_bundle, simulated_photograph):
    code = (
        "import sys, melanoscope\n"
        "print(melanoscope.load(sys.argv[1]).diagnose("
        "sys.argv[2], age=45, sex='female', site='torso').status)"
    )
    done = subprocess.run(
        [clean / "python", "-c", code, small_bundle, simulated_photograph],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in ("accepted", "doubtful", "refused")


def test_what_needs_more_says_what_to_install(clean, tmp_path):
    done = subprocess.run(
        [clean / "melanoscope", "demo", "--out", tmp_path / "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "melanoscope[train]" in done.stderr
    assert done.stderr.count("\n") == 1
