"""The page of a comparison, and its document."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from melanoscope.report.comparison_page import write_comparison
from tests.comparison.drawn import drawn

SKILLS = {"poor <b>": 0.5, "good": 2.0, "better": 2.05}


def _words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).replace("\xa0", " ").split())


def test_two_classes(tmp_path: Path) -> None:
    page = write_comparison(drawn(SKILLS), tmp_path).read_text("utf-8")
    words = _words(page)
    assert "better has the largest AUROC" in words
    assert "2 of 3 models may be the best" in words
    assert "poor <b>" in words
    assert "poor <b>" not in page
    assert "a note <b>of a file</b>" in words
    for section in ("models", "pairs", "roc", "calibration", "points", "subgroups", "method"):
        assert f'<section id="{section}"' in page
        assert f'href="#{section}"' in page
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert [one["label"] for one in document["models"]] == ["better", "good", "poor <b>"]
    assert document["pairs"]["auroc"][0].keys() >= {"a", "b", "difference", "p_holm"}
    assert document["delong"].keys() == {"better/good", "better/poor <b>", "good/poor <b>"}
    assert {v["name"] for v in document["models"][0]["subgroups"]} == {"Sex", "Center"}
    assert (tmp_path / "roc.svg").is_file()


def test_one_number_has_one_interval(tmp_path: Path) -> None:
    """Sensitivity stood in two tables, with a bootstrap's interval and an exact one."""
    page = write_comparison(drawn(SKILLS), tmp_path).read_text("utf-8")
    models = page[page.index('id="models"') : page.index('id="pairs"')]
    assert 'data-name="Sensitivity"' not in models
    assert 'data-name="Sensitivity"' in page


@pytest.mark.parametrize("classes", [3, 7])
def test_several_classes(tmp_path: Path, classes: int) -> None:
    page = write_comparison(drawn(SKILLS, classes=classes), tmp_path).read_text("utf-8")
    assert "has the largest balanced accuracy" in _words(page)
    assert "AUROC of c" in page
    assert 'id="roc"' not in page
    assert "DeLong" not in page


def test_one_model(tmp_path: Path) -> None:
    page = write_comparison(drawn({"alone": 1.0}), tmp_path).read_text("utf-8")
    assert "alone: AUROC 0." in _words(page)
    assert 'id="pairs"' not in page
    assert json.loads((tmp_path / "comparison.json").read_text())["pairs"] == {}
