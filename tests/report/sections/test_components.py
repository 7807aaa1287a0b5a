"""The section on what the uncertainty is made of, by the number of repeats and seeds."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

SKILL = {("resnet50", "scratch"): 0.9, ("resnet50", "finetune"): 2.0}
BOTH = ["patients", "division", "training"]


@pytest.fixture(scope="module")
def built(build_page, writer, tmp_path_factory):
    """Build the report of a run of so many repeats and seeds; return page and evidence."""

    def build(repeats, seeds):
        folder = tmp_path_factory.mktemp("run") / "run"
        writer(folder, SKILL, photographs=600, repeats=repeats, seeds=seeds)
        page = build_page(folder, replicates=200)
        return page.read_text("utf-8"), json.loads((page.parent / "evidence.json").read_text())

    return build


@pytest.mark.parametrize(
    ("repeats", "seeds", "sources", "said"),
    [
        (1, 1, ["patients", "division and training"], "division and training cannot be told apart"),
        (3, 1, ["patients", "division and training"], "the spread of the 3 divisions"),
        (1, 2, ["patients", "training"], "One division does not show what another would give"),
        (2, 2, BOTH, "2 divisions and 2 trainings of each network"),
    ],
)
def test_what_the_design_can_show(built, repeats, seeds, sources, said):
    html, evidence = built(repeats, seeds)
    assert said in html
    section = evidence["components"]
    best = section["networks"][0]
    assert list(best["components"]) == sources
    assert sum(best["shares"].values()) == pytest.approx(1)
    assert (best["one_more_repeat"] is None) == (repeats == 1 and seeds > 1)
    assert section["sentence"] in html
    assert (
        f"{100 * best['shares']['patients']:.0f}\N{NO-BREAK SPACE}% patients" in section["sentence"]
    )
    assert ("Each network was trained 2 times on each fold" in html) == (seeds == 2)
    results = evidence["intervals"]
    assert best["auroc"] == pytest.approx(results[0]["auroc"])


def test_the_numbers_are_those_of_the_cells(built, tmp_path, writer):
    """By hand, from predictions.parquet alone."""
    from sklearn.metrics import roc_auc_score

    folder = writer(tmp_path / "run", SKILL, photographs=600, repeats=2, seeds=3)
    table = pl.read_parquet(folder / "predictions.parquet").filter(transfer="finetune")
    cells = table.group_by("repeat", "fold", "seed_index").agg("target", "probability")
    auroc = {
        (r, f, s): roc_auc_score(target, probability)
        for r, f, s, target, probability in cells.iter_rows()
    }
    y = np.array([auroc[key] for key in sorted(auroc)]).reshape(2, 5, 3)
    _, evidence = built(2, 3)
    best = evidence["components"]["networks"][0]
    assert best["label"].endswith("fine-tuned")
    training = y.var(axis=2, ddof=1).mean()
    assert best["components"]["training"]["variance"] == pytest.approx(training)
    division = max(0, y.mean(axis=(1, 2)).var(ddof=1) - training / 15)
    assert best["components"]["division"]["variance"] == pytest.approx(division)
    assert best["auroc"] == pytest.approx(y.mean())
