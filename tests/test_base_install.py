"""A clean environment without torch diagnoses photographs, and serves a bundle."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent


def install(folder: Path, extra: str) -> Path:
    """Make an environment with the wheel and an extra; return its folder of programs."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not there to make an environment with")
    home = folder / "env"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home], check=True)
    words = ["pip", "install", "--quiet", "--python", home / "bin" / "python"]
    words += ["-c", ROOT / "constraints.txt", f"melanoscope{extra} @ {ROOT.as_uri()}"]
    subprocess.run([uv, *words], check=True)
    return home / "bin"


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """Programs of an environment with the base dependencies."""
    return install(tmp_path_factory.mktemp("clean"), "")


@pytest.fixture(scope="module")
def serving(tmp_path_factory) -> Path:
    """Programs of an environment with those of the service, too."""
    return install(tmp_path_factory.mktemp("serving"), "[serve]")


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


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("demo", "--out", "run"), "train"),
        (("serve", "bundle"), "serve"),
        (("compare", "a.csv", "b.csv"), "stats"),
        (("power", "--auroc", "0.8", "--prevalence", "0.1"), "stats"),
        (("evaluate", "bundle", "--data", "simulated=9"), "stats"),
    ],
)
def test_what_needs_more_says_what_to_install(clean, words, extra, tmp_path):
    done = subprocess.run(
        [clean / "melanoscope", *words], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert f"melanoscope[{extra}]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_serve_answers_and_shows_the_page(serving, small_bundle, simulated_photograph):
    command = [serving / "melanoscope", "serve", small_bundle, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
        address = json.loads(one.stdout.readline())["address"]
        files = {"photograph": simulated_photograph.read_bytes()}
        answer = httpx.post(f"{address}/v1/diagnoses", files=files, timeout=30).json()
        page = httpx.get(address)
        one.send_signal(signal.SIGTERM)
        _, told = one.communicate(timeout=20)
    assert answer["status"] in ("accepted", "doubtful", "refused")
    # The wheel holds the page where it was built; `make test` builds it.
    is_built = (ROOT / "src" / "melanoscope" / "service" / "page" / "index.html").is_file()
    assert page.headers["content-type"].startswith("text/html" if is_built else "text/plain")
    assert one.returncode == 0
    assert told.decode() == f"melanoscope: {address} (Ctrl-C stops it)\n"


@pytest.fixture(scope="module")
def comparing(tmp_path_factory) -> Path:
    """Programs of an environment with those of statistics, too."""
    return install(tmp_path_factory.mktemp("comparing"), "[stats]")


def test_predictions_are_compared_without_pytorch(comparing, tmp_path):
    """The extra [stats] is all that it takes, page and figures included."""
    for name, step in (("a", 7), ("b", 11)):
        rows = [f"i{i},{(i * step % 97 + 40 * (i % 2)) / 140:.4f},{i % 2}" for i in range(80)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["image_id,probability,target", *rows]))
    done = subprocess.run(
        [
            comparing / "melanoscope",
            "compare",
            "a.csv",
            "b.csv",
            "--replicates",
            "100",
            "--out",
            "out",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_bundle_is_evaluated_without_pytorch(comparing, small_bundle, tmp_path):
    words = ("evaluate", small_bundle, "--data", "simulated=480", "--replicates", "100", "--json")
    done = subprocess.run(
        [comparing / "melanoscope", *words, "--cache", tmp_path / "cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["photographs"] > 60
    assert (tmp_path / "evaluation" / "index.html").is_file()
