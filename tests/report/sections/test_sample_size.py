"""The section on how much data, on runs whose AUROC grows by a known power law."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.sample_size import sample_size_section
from melanoscope.runs.reader import read_run
from tests.conftest import record_all

SHARES = (0.1, 0.25, 0.5, 1.0)
POSITIVES = 136
"""Of 1000 photographs 200, in four of five folds 160, of which 85 in 100 are trained on."""
NOISE = np.hypot(0.8, 0.7)
ROWS = (("vgg16", "finetune"), ("resnet50", "scratch"))


def truth(row: tuple[str, str], n: float) -> float:
    """AUROC with n training positives."""
    return 0.93 - 0.6 * n**-0.5 if row == ROWS[0] else 0.75


def write_shares(path: Path, writer, shares=SHARES, *, draws=3, says_positives=True) -> Path:
    """Write a run and those on its shares; the first network grows with them."""
    for share in reversed(shares):
        skill = {
            row: float(np.sqrt(2) * NOISE * norm.ppf(truth(row, share * POSITIVES))) for row in ROWS
        }
        folder = path if share == 1 else path / "shares" / f"{share:g}"
        writer(folder, skill, photographs=1000, seeds=draws)
        record = json.loads((folder / "run.json").read_text())
        if share < 1:
            record["identity"]["share"] = record["configuration"]["share"] = share
        (folder / "run.json").write_text(json.dumps(record))
        for done in (folder / "cells").glob("*/done.json"):
            cell = json.loads(done.read_text())
            if says_positives:
                cell["n_train_positives"] = round(share * POSITIVES)
            done.write_text(json.dumps(cell))
        record_all(folder)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, writer) -> Path:
    return write_shares(tmp_path_factory.mktemp("shares") / "run", writer)


@pytest.fixture(scope="module")
def context(run, labels) -> ReportContext:
    return ReportContext(run=read_run(run), labels=labels, replicates=100)


def by_label(section) -> dict:
    return {network.label: network for network in section.numbers["networks"]}


def test_results_are_those_of_the_cells(run: Path, context: ReportContext) -> None:
    """By hand, from the tables of predictions alone."""
    network = by_label(sample_size_section(context))["VGG-16, fine-tuned"]
    assert [point.share for point in network.points] == list(SHARES)
    assert [point.positives for point in network.points] == [14, 34, 68, 136]
    for point in network.points:
        folder = run if point.share == 1 else run / "shares" / f"{point.share:g}"
        table = pl.read_parquet(folder / "predictions.parquet").filter(backbone="vgg16")
        cells = table.group_by("seed_index", "fold", maintain_order=True).agg(
            pl.map_groups(
                ["target", "probability"],
                lambda columns: roc_auc_score(*columns),
                return_dtype=pl.Float64,
                returns_scalar=True,
            ).alias("auroc")
        )
        of_draws = cells.group_by("seed_index").agg(pl.mean("auroc")).sort("seed_index")["auroc"]
        assert point.of_draws == pytest.approx(of_draws.to_list())
        assert point.auroc == pytest.approx(cells["auroc"].mean())


def test_a_known_curve_is_found(context: ReportContext) -> None:
    found = by_label(sample_size_section(context))
    rising, flat = found["VGG-16, fine-tuned"], found["ResNet-50, from scratch"]
    assert rising.points[-1].auroc == pytest.approx(truth(ROWS[0], POSITIVES), abs=0.02)
    assert rising.asymptote.low < 0.93 < rising.asymptote.high
    assert rising.exponent.low < 0.5 < rising.exponent.high
    assert rising.needed.present == POSITIVES
    assert rising.needed.low < truth_needed(0.01) < rising.needed.high
    assert "it is not shown that the AUROC rises" in flat.doubts[0]
    assert "it is not shown that the AUROC rises" not in rising.doubts
    assert rising.left_out == ()
    assert rising.asymptote.n == 3


def truth_needed(gain: float) -> float:
    return float((0.6 / (0.93 - truth(ROWS[0], POSITIVES) - gain)) ** 2)


def test_the_error_by_test_patients_widens_the_curve(context: ReportContext) -> None:
    """All sizes are tested on the same patients: the curve is known no better than they let it."""
    whole = by_label(sample_size_section(context))["ResNet-50, from scratch"].asymptote
    row = context.bootstrapped["resnet50", "scratch"]
    assert whole.standard_error > 0.9 * np.sqrt(row.variance("auroc"))


def test_the_page_and_the_evidence(run: Path, build_page) -> None:
    page = build_page(run, replicates=100)
    html, evidence = (
        page.read_text("utf-8"),
        json.loads((page.parent / "evidence.json").read_text()),
    )
    section = evidence["sample_size"]
    assert (section["gain"], section["draws"]) == (0.01, 3)
    best, other = section["networks"]
    assert best["label"] == "VGG-16, fine-tuned"
    assert best["words"].startswith("+0.01 AUROC")
    for network in (best, other):
        assert network["words"] in html
        for doubt in network["doubts"]:
            assert doubt in html
    assert 'href="#sample_size"' in html
    assert "Training melanomas" in (page.parent / "figures" / "sample_size.svg").read_text("utf-8")
    assert (page.parent / "figures" / "sample_size.png").is_file()


def test_a_run_without_shares_has_no_section(run_folder: Path, labels) -> None:
    context = ReportContext(run=read_run(run_folder), labels=labels, replicates=100)
    assert sample_size_section(context) is None


def test_what_is_not_finished_is_left_out(tmp_path: Path, writer, labels) -> None:
    """One network lacks a cell at one of five shares, the other at two."""
    run = write_shares(tmp_path / "run", writer, (0.1, 0.2, 0.25, 0.5, 1.0), draws=2)
    for share, network in (("0.1", "vgg16"), ("0.1", "resnet50"), ("0.2", "resnet50")):
        table = run / "shares" / share / "predictions.parquet"
        lacking = (pl.col("backbone") == network) & (pl.col("fold") == 1)
        pl.read_parquet(table).filter(~(lacking & (pl.col("seed_index") == 1))).write_parquet(table)
        record_all(table.parent)
    context = ReportContext(run=read_run(run), labels=labels, replicates=100)
    section = sample_size_section(context)
    (network,) = section.numbers["networks"]
    assert network.left_out == (0.1,)
    assert [point.share for point in network.points] == [0.2, 0.25, 0.5, 1.0]
    assert "4 shares or more; found at 3" in section.numbers["failed"]["ResNet-50, from scratch"]


def test_positives_of_a_run_that_does_not_say(tmp_path: Path, writer, labels) -> None:
    """A whole run of before: all positives but those of its test and validation parts."""
    from melanoscope.report.sections.sample_size import _positives

    run = read_run(write_shares(tmp_path / "run", writer, (1.0,), says_positives=False))
    targets = dict(run.catalog.select("image_id", "target").rows())
    for cell in list(run.records)[:4]:
        held_out = {
            name
            for table in (run.predictions, run.validation)
            for name in table.filter(
                backbone=cell.backbone, fold=cell.fold, seed_index=cell.seed_index
            )["image_id"]
        }
        expected = sum(target for name, target in targets.items() if name not in held_out)
        assert _positives(run, cell) == expected


def test_shares_of_one_size_make_no_curve(tmp_path: Path, writer, labels) -> None:
    run = write_shares(tmp_path / "run", writer, (0.1, 0.101, 0.5, 1.0), draws=2)
    context = ReportContext(run=read_run(run), labels=labels, replicates=100)
    with pytest.raises(StatisticsError, match="at each larger share; found 14, 14, 68, 136"):
        sample_size_section(context)


def test_trainings_of_one_draw_make_no_curve(tmp_path: Path, writer, labels, build_page) -> None:
    run = write_shares(tmp_path / "run", writer, draws=1)
    page = build_page(run, replicates=100)
    assert json.loads((page.parent / "evidence.json").read_text())["sample_size"] is None
    assert "of 2 draws or more" in page.read_text("utf-8")
