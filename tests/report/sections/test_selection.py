"""Which network: the comparison on the page, in evidence.json and on the first screen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.models.backbones import REGISTRY
from melanoscope.report.context import ReportContext
from melanoscope.report.headline import describe_choice
from melanoscope.report.sections.all import all_sections
from melanoscope.report.sections.section import Section
from melanoscope.report.sections.selection import Candidate, Selection, selection_section
from melanoscope.runs.reader import read_run
from melanoscope.stats.intervals.interval import Interval
from tests.conftest import record_all

SKILL = {
    ("resnet50", "finetune"): 2.6,
    ("resnet50", "frozen"): 2.5,
    ("vgg16", "finetune"): 2.6,
    ("standard_cnn", "scratch"): 0.2,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., Path]) -> Path:
    return writer(tmp_path_factory.mktemp("selection") / "run", SKILL, photographs=900)


@pytest.fixture
def context(run: Path, labels: dict[str, str]) -> ReportContext:
    return ReportContext(run=read_run(run), labels=labels, replicates=400)


def select(context: ReportContext) -> Selection:
    section = selection_section(context)
    assert section is not None
    found: Selection = section.content["selection"]
    return found


def test_the_best_and_those_like_it(context: ReportContext) -> None:
    found = select(context)
    assert found.best.label == context.label(context.best)
    aurocs = [one.auroc for one in found.candidates]
    assert aurocs == sorted(aurocs, reverse=True)
    for one in found.candidates:
        others = [a for other, a in zip(found.candidates, aurocs, strict=True) if other is not one]
        assert one.distance.estimate == pytest.approx(one.auroc - max(others))
        assert one.distance.n == found.groups == 300
    assert found.candidates[-1].label == "Standard CNN, from scratch"
    assert not found.candidates[-1].may_be_best
    assert len(found.may_be_best) >= 2
    assert 0 < found.flattery < 0.05
    assert found.groups_needed > 0
    assert found.best.parameters == REGISTRY[context.best[0]].parameters


def test_page_and_evidence_say_the_same(run: Path, build_page: Callable[..., Path]) -> None:
    page = build_page(run, replicates=400)
    html = page.read_text(encoding="utf-8")
    numbers = json.loads((page.parent / "evidence.json").read_text())["selection"]
    first = html[html.index("<header") : html.index("</header>")]
    section = html[html.index('<section id="selection"') : html.index('<section id="roc"')]
    assert "; ".join(numbers["may_be_best"][1:]) in first
    for label in numbers["may_be_best"]:
        assert label in section
    assert numbers["best"] == numbers["may_be_best"][0] == numbers["candidates"][0]["label"]
    assert re.search(r"flattered by at most about <span class=\"number\">0\.0\d\d</span>", first)
    assert f"{numbers['flattery']:.3f}" in first
    assert f"{numbers['flattery']:.3f}" in section
    for one in numbers["candidates"]:
        distance = one["distance"]
        printed = f"{distance['low']:.3f} to {distance['high']:.3f}".replace("-", "\N{MINUS SIGN}")
        assert printed in section
        assert f"{one['parameters']:,}" in section
        assert f"{one['megabytes']:.1f}&nbsp;MB" in section
    assert "within 0.02 of the best." in first
    assert (page.parent / "figures" / "distance_to_best.svg").is_file()


def test_networks_with_equal_predictions_tie(
    tmp_path: Path, writer: Callable[..., Path], labels: dict[str, str]
) -> None:
    folder = writer(tmp_path / "run", {("resnet50", "finetune"): 2.6, ("vgg16", "finetune"): 1.0})
    table = pl.read_parquet(folder / "predictions.parquet")
    one = table.filter(backbone="resnet50")
    twin = pl.concat([one, one.with_columns(backbone=pl.lit("vgg16"))])
    twin.write_parquet(folder / "predictions.parquet")
    record_all(folder)
    found = select(ReportContext(run=read_run(folder), labels=labels, replicates=100))
    assert found.may_be_best == [one.label for one in found.candidates]
    assert found.flattery == 0
    assert found.smallest_told == (0, 0)
    assert {(one.distance.low, one.distance.high) for one in found.candidates} == {(0, 0)}
    # Both do equally well: the smaller is named.
    assert found.smallest == "VGG-16, fine-tuned"


def test_unfinished_networks_are_named_and_not_compared(context: ReportContext) -> None:
    cells = [c for c in context.run.cells if c.fold != 0 or c.backbone != "vgg16"]
    predictions = context.run.predictions.filter(
        (pl.col("fold") != 0) | (pl.col("backbone") != "vgg16")
    )
    run = replace(context.run, cells=tuple(cells), predictions=predictions)
    found = select(replace(context, run=run))
    assert found.left_out == {"VGG-16, fine-tuned": "4 of 5 cells have numbers"}
    assert len(found.candidates) == 3


def test_one_network_has_nothing_to_be_compared_with(context: ReportContext) -> None:
    cells = [c for c in context.run.cells if c.fold != 0 or c.backbone == "standard_cnn"]
    predictions = context.run.predictions.filter(
        (pl.col("fold") != 0) | (pl.col("backbone") == "standard_cnn")
    )
    run = replace(context.run, cells=tuple(cells), predictions=predictions)
    sections = all_sections(replace(context, run=run))
    found = next(one for one in sections if one.name == "selection")
    assert "two finished networks" in found.missing
    assert describe_choice(sections) == []
    alone = replace(run, planned=(("standard_cnn", "scratch"),))
    assert selection_section(replace(context, run=alone)) is None


def test_the_posters_protocol_says_why_not(
    run: Path, tmp_path: Path, build_page: Callable[..., Path]
) -> None:
    import shutil

    other = tmp_path / "poster"
    shutil.copytree(run, other, ignore=shutil.ignore_patterns("report"))
    record = json.loads((other / "run.json").read_text())
    record["configuration"]["protocol"] = "poster"
    (other / "run.json").write_text(json.dumps(record))
    record_all(other)
    html = build_page(other, replicates=50).read_text(encoding="utf-8")
    assert "the error of a difference between two networks is not known" in html
    assert "Cannot be told from it" not in html
    assert "Hsu" not in html


def candidate(label: str, *, like: bool = True, within: bool = True, parameters: int = 10**6):
    distance = Interval(estimate=0.0, low=-0.01, high=0.01, standard_error=0.0, n=9, method="")
    return Candidate(
        label=label,
        auroc=0.9,
        distance=distance,
        may_be_best=like,
        non_inferior=within,
        parameters=parameters,
        megabytes=4e-6 * parameters,
    )


def words(*candidates: Candidate, smallest: str | None) -> list[str]:
    selection = Selection(
        candidates=candidates,
        smallest=smallest,
        margin=0.02,
        flattery=0.0,
        smallest_told=(0.0, 0.0),
        groups=9,
        groups_needed=9.0,
        power=0.8,
        left_out={},
    )
    return describe_choice([Section("selection", "", {"selection": selection})])


def test_the_first_screen_in_words() -> None:
    a, b = candidate("A"), candidate("B", parameters=2_500_000)
    assert words(a, b, smallest="B") == [
        "Cannot be told from it: B.",
        "The smallest shown to be within 0.02 of the best: B (2,500,000 parameters, 10.0 MB).",
    ]
    worse = replace(b, may_be_best=False)
    assert words(a, worse, smallest="A") == [
        "Better than the other.",
        "No smaller network is shown to be within 0.02 of the best.",
    ]
    assert words(a, worse, replace(worse, label="C"), smallest=None) == [
        "Better than each of the 2 others.",
        (
            "No network, not even the one of the largest AUROC, is shown to be within 0.02 of the "
            "best."
        ),
    ]
    many = [candidate(f"N{i}") for i in range(9)]
    assert words(*many, smallest=None)[0] == "Cannot be told from it: N1; N2; N3; and 5 others."


def test_order_of_the_run_changes_nothing(context: ReportContext) -> None:
    found = select(context)
    turned = replace(context, run=replace(context.run, planned=tuple(context.run.planned[::-1])))
    again = select(turned)
    assert again.may_be_best == found.may_be_best
    np.testing.assert_allclose(
        [one.distance.low for one in again.candidates],
        [one.distance.low for one in found.candidates],
        atol=1e-12,
    )
