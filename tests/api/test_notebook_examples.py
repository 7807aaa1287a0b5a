"""Every example of docs/notebooks.md runs, from the first line to the last."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "notebooks.md"
SKILL = {("resnet50", "scratch"): 0.6, ("resnet50", "finetune"): 2.2}


def write_predictions(folder: Path) -> None:
    rng = np.random.default_rng(0)
    target = np.arange(120) % 2
    for name, skill in (("a", 1.0), ("b", 3.0)):
        p = 1 / (1 + np.exp(-skill * (target - 0.5) - rng.normal(size=120)))
        rows = [f"img{i},{value:.6f}" for i, value in enumerate(p)]
        (folder / f"{name}.csv").write_text("\n".join(["image_id,probability", *rows]))
    rows = [f"img{i},{'mel' if t else 'nv'},P{i // 2}" for i, t in enumerate(target)]
    (folder / "truth.csv").write_text("\n".join(["image_id,dx,patient_id", *rows]))


def test_the_examples_run(
    writer, small_bundle: Path, small_subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MELANOSCOPE_CACHE", str(tmp_path / "cache"))
    write_predictions(tmp_path)
    writer(tmp_path / "runs" / "demo", SKILL, folds=3, photographs=150)
    (tmp_path / "bundle").symlink_to(small_bundle)
    # Photographs of somebody else: the simulated ones, saved anew, so that no file is the same.
    rows = small_subject.frame.select("image_id", "path", "target", "group_id").rows()
    for image_id, path, *_ in rows:
        with Image.open(path) as image:
            image.save(tmp_path / f"{image_id}.jpg", quality=90)
    pl.DataFrame(
        [(f"mine_{i}", f"{i}.jpg", t, g) for i, _, t, g in rows],
        schema=["image_id", "path", "target", "patient_id"],
        orient="row",
    ).write_csv(tmp_path / "photographs.csv")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    known: dict[str, object] = {}
    for block in blocks:
        exec(block, known)  # noqa: S102 - the page's own text
    assert known["evaluation"].results.sample.frame.height == len(rows)
