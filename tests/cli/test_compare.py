"""melanoscope compare, from files to the page."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from .conftest import Call

REAL = os.environ.get("MELANOSCOPE_REAL")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    rng = np.random.default_rng(0)
    target = np.arange(120) % 2
    paths = []
    for name, skill in (("one", 1.0), ("two", 3.0)):
        p = 1 / (1 + np.exp(-skill * (target - 0.5) - rng.normal(size=120)))
        rows = [f"img{i},{value:.6f}" for i, value in enumerate(p)]
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text("\n".join(["image_id,probability", *rows]) + "\n")
    truth = tmp_path / "truth.csv"
    rows = [
        f"img{i};{'mel' if t else 'nv'};P{i // 2};{'male' if i % 3 else 'female'}"
        for i, t in enumerate(target)
    ]
    truth.write_text("\n".join(["image_id;dx;patient_id;sex", *rows]) + "\n")
    return paths[0], paths[1], truth


def test_from_files_to_the_page(call: Call, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    one, two, truth = files
    out = tmp_path / "out"
    status, text, err = call(
        *("compare", str(one), str(two), "--truth", str(truth), "--positive", "melanoma"),
        *("--replicates", "100", "--out", str(out), "--json"),
    )
    assert status == 0, err
    document = json.loads(text)
    assert [model["label"] for model in document["models"]] == ["two", "one"]
    assert (document["photographs"], document["groups"], document["unit"]) == (120, 60, "patients")
    assert document["classes"] == {"others": 60, "melanoma": 60}
    assert (out / "index.html").is_file()
    assert json.loads((out / "comparison.json").read_text()) == document


def test_what_differs_is_refused_by_name(
    call: Call, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    one, two, truth = files
    two.write_text(two.read_text().replace("img7,", "img700,"))
    status, _, err = call(
        *("compare", str(one), str(two), "--truth", str(truth), "--positive", "melanoma"),
        *("--out", str(tmp_path / "out")),
    )
    assert status == 1
    assert "img7" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="MELANOSCOPE_REAL names no folder of real files")
def test_published_predictions(call: Call, tmp_path: Path) -> None:
    folder = Path(str(REAL)) / "predictions" / "ham10000"
    if not folder.is_dir():
        pytest.skip(f"no '{folder}'")
    models = [str(folder / f"{name}.csv") for name in ("PanDerm", "DermFM-Zero")]
    truth = Path(str(REAL)) / "lesions" / "ham10000" / "HAM10000_metadata.csv"
    status, text, err = call(
        *("compare", *models, "--classes", str(folder / "classes.csv"), "--truth", str(truth)),
        *("--positive", "melanoma", "--replicates", "200", "--out", str(tmp_path), "--json"),
    )
    assert status == 0, err
    found = {one["label"]: one["primary"] for one in json.loads(text)["models"]}
    assert found["DermFM-Zero"]["estimate"] == pytest.approx(0.9660, abs=5e-5)
    assert found["PanDerm"]["estimate"] == pytest.approx(0.9483, abs=5e-5)
