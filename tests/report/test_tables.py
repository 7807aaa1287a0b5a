"""Order, stars, marks and what is said about rows that are missing."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import numpy as np
import polars as pl
import pytest

from melanoscope.report.tables.formats import as_csv, as_latex, as_markdown
from melanoscope.report.tables.tables import TableRow, make_tables
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import RunResults
from tests.conftest import record_all


def tables_of(folder, labels):
    run = read_run(folder)
    summary = RunResults(run=run, replicates=200).summary
    return summary, make_tables(summary, labels=labels, skipped=run.record.skipped)


@pytest.fixture(scope="module")
def made(tmp_path_factory, writer, labels):
    return tables_of(writer(tmp_path_factory.mktemp("tables") / "run", photographs=900), labels)


def records(table):
    return list(csv.DictReader(StringIO(as_csv(table))))


def test_rows_go_from_worst_to_best_with_physicians_in_their_place(made):
    for table in made[1]:
        aurocs = [row.values["auroc"].estimate for row in table.rows]
        assert aurocs == sorted(aurocs)
        assert [row.label for row in table.rows if row.physicians] == [
            "General practitioners",
            "Dermatologists",
        ]
    assert [table.letter for table in made[1]] == ["a", "b", "c"]
    assert made[1][1].rows[-1].label == "ResNet-50"


def test_csv_holds_full_precision_and_the_comparison(made):
    summary, (a, b, _) = made
    rows = {row["network"]: row for row in records(b)}
    row, comparison = rows["ResNet-50"], summary.comparison("resnet50", "finetune", "f1")
    interval = summary.row("resnet50", "finetune").intervals["f1"]
    assert [float(row[f"f1{part}"]) for part in ("", "_low", "_high")] == [
        interval.estimate,
        interval.low,
        interval.high,
    ]
    assert float(row["f1_p_holm"]) == comparison.p_holm
    assert float(row["f1_gain"]) == comparison.test.difference.estimate
    assert row["f1_stars"] == comparison.stars != ""
    assert float(row["prevalence"]) == pytest.approx(0.2)
    assert rows["Dermatologists"]["transfer"] == "physicians"
    assert rows["Dermatologists"]["auroc_low"] == "0.88"
    assert all(row["auroc_gain"] == "" for row in records(a))


def test_marks_follow_the_tests_against_physicians(made):
    summary, tables = made
    for table in tables:
        for row in table.rows:
            if row.backbone:
                p = summary.row(row.backbone, table.transfer).above
                expected = "gp" if p["gp"] < 0.05 else ""
                assert row.above == ("dermatologists" if p["dermatologists"] < 0.05 else expected)
    assert {row.above for table in tables for row in table.rows} >= {"", "dermatologists"}


def test_skipped_and_unfinished_rows_are_shown(run_folder, labels):
    file = run_folder / "predictions.parquet"
    vgg = (pl.col("backbone") == "vgg16") & (pl.col("transfer") == "frozen")
    resnet = (pl.col("backbone") == "resnet50") & (pl.col("transfer") == "frozen")
    pl.read_parquet(file).filter(~vgg & ~(resnet & (pl.col("fold") > 2))).write_parquet(file)
    record_all(file.parent)
    _, (_, _, c) = tables_of(run_folder, labels)
    by_label = {row.label: row for row in c.rows}
    assert by_label["ResNet-50"].unfinished == "unfinished: 3 of 5 cells"
    assert by_label["VGG-16"].unfinished == "unfinished: 0 of 5 cells"
    assert c.rows[-1].label == "VGG-16"
    assert c.skipped == (("Standard CNN", "no ImageNet weights exist"),)
    for text in (as_markdown(c), as_latex(c)):
        assert "unfinished: 3 of 5 cells" in text
        assert "Not run: Standard CNN (no ImageNet weights exist)" in text
    rows = {row["network"]: row for row in records(c)}
    assert (rows["VGG-16"]["cells"], rows["VGG-16"]["planned"], rows["VGG-16"]["auroc"]) == (
        *("0", "5"),
        "",
    )
    assert all(not v.stars for v in by_label["ResNet-50"].values.values())


def test_markdown_has_effect_beside_star_and_words_for_colors(made):
    text = as_markdown(made[1][1])
    best = next(line for line in text.splitlines() if line.startswith("| ResNet-50"))
    assert r"\*<br>+0." in best
    assert "*above dermatologists*" in best
    assert "AUPRC (prevalence 0.200)" in text
    widths = {line.count(" | ") for line in text.splitlines() if line.startswith("|")}
    assert widths == {5}


def test_latex_is_balanced_colored_and_escaped(made):
    b = made[1][1]
    odd = replace(b.rows[-1], label="A_b & 50% {x}")
    text = as_latex(replace(b, rows=(*b.rows[:-1], odd), simulated=True))
    assert r"A\_b \& 50\% \{x\}" in text
    assert r"\textcolor[HTML]{2166AC}{0." in text
    assert "Simulated, says nothing about skin." in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert all(row.replace(r"\&", "").count("&") == 5 and row.endswith(r"\\") for row in body)
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")


def test_a_label_that_is_missing_falls_back_to_the_name(run_folder):
    _, (a, *_) = tables_of(run_folder, {})
    assert {row.label for row in a.rows} >= {"vgg16", "standard_cnn"}


def test_prevalence_of_an_empty_row_is_not_a_number():
    assert np.isnan(TableRow("x", {}).prevalence)
