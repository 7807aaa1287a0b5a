"""The whole report of a synthetic run: files, words, and nothing loaded from elsewhere."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from io import StringIO

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

from melanoscope.errors import RunError
from melanoscope.report.figures.image_figures import attribution_figure, augmentation_figure
from melanoscope.target import MELANOMA
from tests.conftest import record_all

COMMAND = (
    "<code>melanoscope benchmark --data pad-ufes-20=pad --data isic2020=isic --backbones "
    "standard_cnn,resnet50,vgg16 --transfer scratch,finetune,frozen --folds 5 --repeats 1 "
    "--epochs 15 --batch-size 64 --size 128 --seed 3 --out RUN</code>"
)
CREDIT = "Photographs: ISIC 2020, CC BY-NC 4.0"


class Tags(HTMLParser):
    """Collects tags and checks that they close in order."""

    void = frozenset({"meta", "img", "br", "link"})

    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(html):
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags.found


def pictures(simulated=False, target=MELANOMA):
    rng = np.random.default_rng(0)
    originals = rng.integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    augmented = rng.integers(0, 256, (2, 3, 16, 16, 3)).astype(np.uint8)
    return {
        "figure_2": augmentation_figure(originals, augmented, credit=CREDIT, simulated=simulated),
        "figure_4": attribution_figure(
            originals[0],
            rng.normal(size=(16, 16)),
            network="ResNet-50",
            credit=CREDIT,
            probability=0.8,
            target=target,
            positive=True,
            simulated=simulated,
        ),
    }


@pytest.fixture(scope="module")
def report(tmp_path_factory, writer, build_page):
    run = writer(tmp_path_factory.mktemp("report") / "run")
    page = build_page(run, **pictures())
    return page.parent


@pytest.fixture(scope="module")
def html(report):
    return (report / "index.html").read_text(encoding="utf-8")


def test_all_files_are_there(report):
    names = {str(f.relative_to(report)) for f in report.rglob("*") if f.is_file()}
    figures = ["figure_3_roc", "transfer_effect", "learning_curves"]
    figures += ["reliability", "decision_curve", "distance_to_best"]
    figures += [f"figure_3_roc_{arm}" for arm in ("scratch", "finetune", "frozen")]
    expected = {"index.html", "figures/figure_2_augmentation.png"}
    expected |= {"figures/figure_4_attribution.png"}
    expected |= {f"figures/{name}.{kind}" for name in figures for kind in ("svg", "png")}
    expected |= {f"tables/table_{x}.{kind}" for x in "abc" for kind in ("csv", "md", "tex")}
    expected.add("evidence.json")
    assert names == expected
    assert not [p.name for p in report.parent.iterdir() if p.name.startswith(".report")]


def test_the_page_loads_nothing_from_elsewhere(html):
    found = parse(html)
    for tag, attrs in found:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        assert attrs.get("src", "data:").startswith("data:")
        assert "srcset" not in attrs
        assert "style" not in attrs
        if "href" in attrs:
            assert tag == "a"
            assert attrs["href"].startswith(("#", "https://pmc.ncbi.nlm.nih.gov/"))
    assert not re.search(r"url\(|@import", html)
    assert "default-src 'none'" in html
    ids = [attrs["id"] for _, attrs in found if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = {attrs["href"][1:] for _, attrs in found if attrs.get("href", "").startswith("#")}
    assert anchors <= set(ids)
    assert all(attrs.get("alt") for tag, attrs in found if tag == "img")


def test_figures_load_nothing_and_keep_text_as_text(report):
    for file in report.glob("figures/*.svg"):
        svg = file.read_text(encoding="utf-8")
        assert "<text" in svg
        assert not re.search(r'(?:href|src)="(?!#|data:)', svg)


def test_the_first_screen_answers(html):
    first = html[html.index("<header") : html.index("</header>")]
    assert "raises AUROC by 0." in first
    assert "ResNet-50" in first
    assert "Fine-tuned: AUROC" in first
    assert re.search(r"significantly better for \d of 2 networks", first)
    assert "300 photographs" in first
    assert "Research software, not a medical device." in first


def test_real_data_is_not_called_simulated(html, report):
    assert "Simulated" not in html
    assert "Simulated" not in (report / "figures" / "figure_3_roc.svg").read_text()


def test_everything_from_the_run_is_escaped_and_shown(html):
    assert "<b>cut</b>" not in html
    assert "&lt;b&gt;cut&lt;/b&gt;" in html
    for words in (
        *("truncated &amp; short", "ViDIR Group &amp; others", "CC BY-NC 4.0", "gone_1", "0 bytes"),
        *("0f" * 32, "ab" * 32, "torch 2.11.0", "a processor", "no ImageNet weights exist"),
        *("prevalence 0.200", "highest F1 on validation", "Nadeau", "Holm", "learning rate"),
        *(COMMAND, "2 unreadable", CREDIT, "Standard CNN"),
    ):
        assert words in html, words


def test_equal_runs_give_equal_reports(report, html, build_page):
    before = {f: f.read_bytes() for f in report.rglob("*") if f.is_file()}
    build_page(report.parent, **pictures())
    assert {f: f.read_bytes() for f in report.rglob("*") if f.is_file()} == before


def test_simulated_data_is_called_so_everywhere(tmp_path, writer, build_page):
    page = build_page(writer(tmp_path / "run", simulated=True), **pictures(simulated=True))
    html = page.read_text(encoding="utf-8")
    body = html[html.index("<body") :]
    assert body.removeprefix("<body>").lstrip().startswith('<div class="simulated"')
    assert "<title>Simulated" in html
    for file in (page.parent / "figures").glob("*.svg"):
        assert "Simulated, says nothing about skin" in file.read_text(encoding="utf-8"), file.name
    for kind in ("md", "tex"):
        text = (page.parent / "tables" / f"table_b.{kind}").read_text(encoding="utf-8")
        assert "Simulated, says nothing about skin" in text


def test_an_archive_that_gives_the_label_away_is_pointed_out(run_folder, build_page):
    file = run_folder / "catalog.parquet"
    pl.read_parquet(file).with_columns(
        dataset=pl.when(pl.col("target") == 1).then(pl.lit("isic2020")).otherwise(pl.lit("other"))
    ).write_parquet(file)
    record_all(file.parent)
    html = build_page(run_folder).read_text(encoding="utf-8")
    assert re.search(r"archive alone gives AUROC <b[^>]*>1\.000", html)
    assert "telling archives apart" in html


def test_nothing_finished_and_nothing_compared_still_give_a_page(run_folder, build_page):
    file = run_folder / "predictions.parquet"
    whole = pl.read_parquet(file)
    whole.filter(pl.col("transfer") == "scratch").write_parquet(file)
    record_all(file.parent)
    html = build_page(run_folder).read_text(encoding="utf-8")
    assert "No network is finished both from scratch and with transfer." in html
    assert "Best network: ResNet-50, AUROC 0." in html
    whole.clear().write_parquet(file)
    record_all(file.parent)
    html = build_page(run_folder).read_text(encoding="utf-8")
    parse(html)
    assert "No network is finished yet." in html


def test_two_folds_are_warned_about_and_bounds_stay_possible(tmp_path, writer, build_page):
    skill = {("vgg16", "scratch"): 1.2, ("resnet50", "scratch"): 1.0}
    html = build_page(writer(tmp_path / "run", skill, folds=2, photographs=60, seed=1)).read_text(
        encoding="utf-8"
    )
    bounds = re.findall(
        r'<span class="pm[^"]*">\(?([0-9.]+) to ([0-9.]+)\)?</span>',
        html[html.index('id="results"') : html.index('id="roc"')],
    )
    assert bounds
    for low, high in bounds:
        assert 0 <= float(low) <= float(high) <= 1
    assert "intervals are very wide" in html


def test_one_auroc_has_one_interval_wherever_it_is_printed(run_folder, build_page):
    """The first screen, tables, "How sure", checklists and evidence.json give the same bounds."""
    html = build_page(run_folder).read_text(encoding="utf-8")
    evidence = json.loads((run_folder / "report" / "evidence.json").read_text(encoding="utf-8"))
    best = evidence["intervals"][0]["metrics"]["auroc"]
    bounds = f"{best['low']:.3f} to {best['high']:.3f}"
    first_screen = re.search(r"<dt>How sure\?</dt>(.+?)</div>", html, re.DOTALL)[1]
    assert f'<span class="big number">{bounds}</span>' in first_screen
    table_b = (run_folder / "report" / "tables" / "table_b.csv").read_text(encoding="utf-8")
    row = next(r for r in csv.DictReader(StringIO(table_b)) if r["network"] == "ResNet-50")
    assert (float(row["auroc_low"]), float(row["auroc_high"])) == (best["low"], best["high"])
    checklists = html[html.index('id="checklist"') :]
    assert f"({bounds})" in checklists
    # No other bounds stand beside this estimate of an AUROC anywhere.
    near = rf"AUROC[^<]{{0,40}}{best['estimate']:.3f} \(([0-9.]+ to [0-9.]+)\)"
    assert set(re.findall(near, html)) <= {bounds}


def test_a_failed_build_keeps_the_older_report(run_folder, build_page, monkeypatch):
    page = build_page(run_folder)
    before, files = page.read_bytes(), sorted(run_folder.rglob("*"))

    def fail(*_, **__):
        raise RunError("a page", "none", "this test breaks it at the last step")

    monkeypatch.setattr("melanoscope.report.build.render_page", fail)
    with pytest.raises(RunError, match="last step"):
        build_page(run_folder)
    assert page.read_bytes() == before
    assert sorted(run_folder.rglob("*")) == files


def test_drawing_leaves_the_callers_settings_alone(run_folder, build_page):
    before = dict(mpl.rcParams)
    build_page(run_folder)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("spoil", ["shape", "type", "nan"])
def test_pictures_refuse_other_arrays(spoil):
    photograph, attribution = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8))
    if spoil == "shape":
        attribution = np.ones((8, 8, 3))
    elif spoil == "type":
        photograph = photograph.astype(np.float32)
    else:
        attribution[0, 0] = np.nan
    with pytest.raises(RunError):
        attribution_figure(
            photograph,
            attribution,
            network="n",
            credit=CREDIT,
            probability=0.5,
            target=MELANOMA,
            positive=True,
        )


def test_augmentation_refuses_other_numbers_of_photographs():
    with pytest.raises(RunError, match="pass arrays of photographs"):
        augmentation_figure(
            np.zeros((2, 8, 8, 3), np.uint8), np.zeros((3, 4, 8, 8, 3), np.uint8), credit=CREDIT
        )


def test_pictures_carry_their_licence_and_an_all_zero_attribution_draws():
    picture = attribution_figure(
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((8, 8)),
        network="n",
        credit=CREDIT,
        probability=0.5,
        target=MELANOMA,
        positive=True,
    )
    assert CREDIT in picture.caption
    assert CREDIT in [text.get_text() for text in picture.figure.findobj(match=mpl.text.Text)]
    assert picture.files["png"].startswith(b"\x89PNG")
