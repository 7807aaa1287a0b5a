"""Names of archives, sites, licences and networks are text in figures, pages, LaTeX, Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from melanoscope.data.content_hash import file_hash
from melanoscope.imaging.decode import write_image
from melanoscope.report.build import Report, build
from melanoscope.report.context import ReportContext
from melanoscope.report.html import render_template
from melanoscope.report.tables.formats import as_csv, as_latex, as_markdown
from melanoscope.report.tables.tables import Table, TableRow
from melanoscope.runs.reader import read_run
from tests.conftest import record_all

NAME = (
    r"""=$\frac$ $x^2 <script>alert(1)</script> "onload='x' """
    r"""| *b* \input{/etc/passwd} & javascript:x"""
)
UNSEEN = "\x1b[2J\u202e\ud800"
SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., Path]) -> Report:
    """The report of a run in which everything that has a free name has a hostile one."""
    folder = tmp_path_factory.mktemp("names")
    run = writer(folder / "run", SKILL, folds=2, photographs=80)
    write_image(folder / "a.png", np.zeros((20, 20, 3), np.uint8))
    catalog = pl.read_parquet(run / "catalog.parquet")
    names = [f"{NAME}{i}{UNSEEN[:-1]}" for i in range(catalog.height)]
    free = ("site", "diagnosis", "center", "license", "image_type", "patient_id", "group_id")
    catalog.with_columns(
        path=pl.lit(str(folder / "a.png")),
        content=pl.lit(file_hash(folder / "a.png")),
        dataset=pl.Series([f"table:{NAME}" if i % 3 else "isic2020" for i in range(len(names))]),
        **{name: pl.Series(names) for name in free},
    ).write_parquet(run / "catalog.parquet")
    ids = catalog["image_id"].to_list()
    pairs = {"a": ids[:9], "b": ids[9:18], "likeness": [0.9] * 9, "relation": [NAME] * 9}
    pl.DataFrame(pairs).write_parquet(run / "near_duplicates.parquet")
    record = json.loads((run / "run.json").read_text())
    for key in ("title", "licence", "attribution"):
        for source in record["data"]["sources"]:
            source[key] = NAME
    record["data"] |= {"notes": [NAME + UNSEEN], "absent_examples": [NAME + UNSEEN]}
    record["data"]["unreadable"] = [{"image_id": NAME, "path": NAME, "reason": NAME + UNSEEN}]
    record["data"]["unlabelled"] = [{"dataset": NAME, "reason": NAME, "rows": 3, "found": 2}]
    (run / "run.json").write_text(json.dumps(record))
    record_all(run)
    labels = {"resnet50": NAME + UNSEEN}
    return build(ReportContext(run=read_run(run), labels=labels, replicates=100))


def test_figures_show_names_as_they_are(report: Report) -> None:
    files = sorted((report.page.parent / "figures").glob("*.svg"))
    assert files
    text = ""
    for file in files:
        ElementTree.parse(file)  # noqa: S314 - our own; whole XML, whatever the names
        text += file.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "$\\frac$ $x^2 &lt;script&gt;" in text
    assert "misses" in {file.stem for file in (report.page.parent / "figures").glob("*.png")}


def test_no_name_is_markup_in_the_page(report: Report) -> None:
    page = report.page.read_text(encoding="utf-8")
    for image in re.findall(r'src="data:image/svg\+xml;base64,[^"]*"', page):
        page = page.replace(image, "")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r'"onload', page)
    assert not re.search(r'(href|src)="javascript', page)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page)
    assert "\\x1b[2J\\u202e" in page


def test_no_template_trusts_a_value() -> None:
    import melanoscope

    package = Path(melanoscope.__file__).parent
    templates = [file for file in package.rglob("*.j2") if file.name.endswith(".html.j2")]
    assert len(templates) > 20
    for file in templates:
        assert not re.search(r"\|\s*safe|autoescape\s+false", file.read_text()), file


def table_of(label: str) -> Table:
    rows = (TableRow(label, {}, backbone=label, planned=3, failed=(label,)),)
    return Table("a", "scratch", rows, float("nan"), ((label, label),), simulated=False)


def test_latex_escapes_every_special_character() -> None:
    text = as_latex(table_of(NAME + UNSEEN))
    assert r"=\$\textbackslash{}frac\$ \$x\textasciicircum{}2" in text
    assert r"\textbackslash{}input\{/etc/passwd\} \& javascript" in text
    assert r"\input" not in text.replace(r"\textbackslash{}input", "")
    assert r"\textbackslash{}x1b[2J" in text
    rest = re.sub(r"\\[&%$#_{}]|\$[-<>]\$|\$\\pm\$", "", text)
    assert "$" not in rest.split(r"\begin{table}")[1]


def test_markdown_escapes_markup_and_bars() -> None:
    text = as_markdown(table_of(NAME + UNSEEN))
    row = next(line for line in text.splitlines() if line.startswith("| \\=") or "frac" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert r"\<script\>" in text
    assert r"\*b\*" in text
    assert "\\\\x1b" in text
    assert not re.search(r"(?<!\\)[<>*]", row)


def test_csv_holds_no_formula() -> None:
    for label in ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"):
        line = as_csv(table_of(label)).split("\n", 1)[1]
        assert line.lstrip('"')[0] in "'\\"  # or written out, as tabs are


def test_values_keep_what_is_no_danger() -> None:
    """Letters of any language stay; a test of the escaping that cannot be too eager."""
    page = render_template("sections/missing.html.j2", {"section": _Named("Größe 皮膚 ±\n1")})
    assert "Größe 皮膚 ±\n1" in page


class _Named:
    name = "x"

    def __init__(self, title: str) -> None:
        self.title = self.missing = title
