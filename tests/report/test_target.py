"""A report of another target than melanoma speaks of that target, and of no other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.audit.audit import run_audit
from melanoscope.data.archive import SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.content_hash import file_hash
from melanoscope.data.sources import simulated
from melanoscope.errors import RunError
from melanoscope.imaging.decode import write_image
from melanoscope.report.audit_page import audit_document, write_audit
from melanoscope.report.from_run import report_run, result_of
from melanoscope.report.target_words import question_of
from melanoscope.target import MALIGNANT, MELANOMA, Target, custom_target
from tests.conftest import record_all
from tests.report.sections.conftest import complete
from tests.report.test_report_build import pictures

OWN = custom_target("keratinocyte_cancer", ("basal cell carcinoma", "squamous cell carcinoma"))
COUNTED = replace(MALIGNANT, indeterminate="malignant")


def visible(page: str) -> str:
    """Return what a reader sees or hears of a page: texts and descriptions of pictures."""
    page = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    described = re.findall(r'\b(?:alt|data-name|aria-label)="([^"]*)"', page)
    return " ".join(unescape(" ".join([re.sub(r"<[^>]+>", " ", page), *described])).split())


def without_diagnoses(page: str) -> str:
    """Cut out the table of diagnoses, in which every diagnosis has its own name."""
    rest, cuts = re.subn(r"<summary>Diagnoses</summary>.*?</details>", "", page, flags=re.DOTALL)
    assert cuts == 1
    return rest


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the words of every file of a report but its page."""
    for file in sorted(folder.rglob("*.*")):
        if file.suffix in (".csv", ".md", ".tex", ".json"):
            yield file.name, file.read_text(encoding="utf-8")
        elif file.suffix == ".svg":
            yield file.name, " ".join(re.findall(r"<text[^>]*>([^<]*)", file.read_text("utf-8")))


@pytest.fixture
def report_of(
    writer: Callable[..., Path], build_page: Callable[..., Path], tmp_path: Path
) -> Callable[..., Path]:
    """Write the report of a drawn run, with photographs, notes and rows without a label."""

    def write(target: Target, prevalence: float | None = None) -> Path:
        folder = writer(tmp_path / "run", target=target)
        complete(folder)
        photograph = tmp_path / "photograph.png"
        write_image(photograph, np.full((8, 8, 3), 120, np.uint8))
        catalog = pl.read_parquet(folder / "catalog.parquet")
        named = pl.when(pl.col("target") == 1).then(pl.lit("melanoma")).otherwise(pl.lit("nevus"))
        n = np.arange(catalog.height)
        catalog.with_columns(
            path=pl.lit(str(photograph)),
            content=pl.lit(file_hash(photograph)),
            diagnosis=named,
            center=pl.Series(np.where(n % 2, "rosendahl", "vidir")),
            image_type=pl.Series(np.where(n % 4 < 2, "dermoscopic", "clinical")),
            license=pl.Series(np.where(n % 3, "CC-0", "CC BY-NC")),
        ).write_parquet(folder / "catalog.parquet")
        record = json.loads((folder / "run.json").read_text())
        record["data"] |= {
            "unlabelled": [
                {"dataset": "pad-ufes-20", "reason": "indeterminate", "rows": 9, "found": 3},
                {"dataset": "pad-ufes-20", "reason": "no diagnosis", "rows": 4, "found": 0},
            ],
            "notes": ["13 rows of lesions.csv found no partner"],
            "licences": {"isic2020": {"CC-0": 60, "CC BY-NC": 40}},
        }
        (folder / "run.json").write_text(json.dumps(record))
        record_all(folder)
        return build_page(folder, prevalence=prevalence, replicates=100, **pictures(target=target))

    return write


@pytest.mark.parametrize("target", [MALIGNANT, COUNTED, OWN], ids=lambda t: t.indeterminate)
def test_no_sentence_is_about_melanoma(report_of: Callable[..., Path], target: Target) -> None:
    page = report_of(target)
    html = page.read_text(encoding="utf-8")
    assert "melanoma" in visible(html).lower()  # in the table of diagnoses
    words = visible(without_diagnoses(html))
    assert "melanoma" not in words.lower()
    assert "physician" not in words.replace("studies of physicians published", "")
    assert not re.search("dermatologist|practitioner", words)
    assert len(re.findall("poster", words)) == 1
    assert f"obtained for another target than {target.condition}, and is left out." in words
    for name, text in written(page.parent):
        assert "melanoma" not in text.lower(), name
        assert "dermatologist" not in text.lower(), name


@pytest.mark.parametrize("target", [MELANOMA, MALIGNANT, OWN], ids=lambda t: t.name)
def test_texts_name_the_target(report_of: Callable[..., Path], target: Target) -> None:
    page = report_of(target)
    words = visible(page.read_text(encoding="utf-8"))
    for sentence in (
        f"benchmark of 3 networks for {target.condition},",
        f"300 photographs, 60 of {target.plural} (20.0 %)",
        f"20% of the photographs show {target.plural};",
        f"20.0 % of these archives' photographs show {target.plural};",
        f"Photographs ({target.plural}; groups)",
        f"observed over expected {target.plural}",
        f"the same share of {target.plural}",
        f"the {target.plural} it was surest were none, and the {target.negative_plural} it was",
        f"Upper row: {target.plural} with the lowest probabilities",
        f"A probability of {target.condition}.",
        f"60 {target.plural}, 240 {target.negative_plural}",
        f"used, 60 of {target.plural}",
        f"Share of {target.plural} by fold",
        f"raise the probability of {target.condition}, blue",
        f"(a {target.singular}; ResNet-50 gives {target.condition} 80 %)",
        f"{question_of(target)}: 60 of 300 (20.0 %).",
    ):
        assert sentence in words, sentence
    files = dict(written(page.parent))
    assert f"Target: {target.condition}." in files["table_a.md"]
    assert f"Target: {target.condition}." in files["table_a.tex"]
    assert f",{target.name}," in files["table_a.csv"]
    assert f"Observed share of {target.plural}" in files["reliability.svg"]
    assert json.loads(files["evidence.json"])["target"] == target.to_dict()


def test_what_was_left_out_noted_and_licensed_is_said(report_of: Callable[..., Path]) -> None:
    words = visible(report_of(MALIGNANT).read_text(encoding="utf-8"))
    for sentence in (
        "13 rows without a label, left out",
        "pad-ufes-20 indeterminate 9",
        "pad-ufes-20 no diagnosis 4",
        "13 rows of lesions.csv found no partner",
        "Without a label: 13",
        "Left out: 9 of pad-ufes-20 without a label (indeterminate), 4 of pad-ufes-20 without a ",
        "Licence CC-0 (60 photographs), CC BY-NC (40 photographs).",
        "Performance broken down by Sex, Age, Body site, Archive, Center, Image type and Skin",
        "melanoma malignant lesions 60",
        "nevus benign lesions 240",
    ):
        assert sentence in words, sentence


@pytest.mark.parametrize(
    ("target", "stated", "said", "share"),
    [
        (MELANOMA, None, "predictive values are given at 1.8 %", 584 / 33_126),
        (MALIGNANT, None, "that of the data and of no population", 0.2),
        (MALIGNANT, 0.03, "predictive values are given at 3.0 %", 0.03),
        (OWN, None, "that of the data and of no population", 0.2),
    ],
)
def test_predictive_values_have_a_prevalence_of_the_target(
    report_of: Callable[..., Path], target: Target, stated: float | None, said: str, share: float
) -> None:
    page = report_of(target, stated)
    assert said in visible(page.read_text(encoding="utf-8"))
    numbers = json.loads((page.parent / "evidence.json").read_text())["decisions"]
    assert numbers["prevalence"] == pytest.approx(share)
    assert all(point["prevalence"] == pytest.approx(share) for point in numbers["points"])


def test_a_run_of_another_target_is_not_set_beside(
    writer: Callable[..., Path], tmp_path: Path
) -> None:
    run, other = writer(tmp_path / "a", target=MALIGNANT), writer(tmp_path / "b")
    with pytest.raises(RunError, match=r"runs of the target malignant.*of melanoma"):
        report_run(run, [other], replicates=100)
    document = result_of(report_run(run, replicates=100))
    assert document["target"] == MALIGNANT.to_dict()
    assert all(not row["above_physicians_p"] for row in document["rows"])


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (MELANOMA, "Melanoma against all other diagnoses"),
        (MALIGNANT, "Malignant against benign lesions, indeterminate ones left out"),
        (COUNTED, "Malignant against benign lesions, indeterminate ones counted as malignant"),
        (
            OWN,
            "Lesions of keratinocyte cancer (" + ", ".join(OWN.diagnoses) + ") against all other "
            "diagnoses",
        ),
    ],
)
def test_questions(target: Target, said: str) -> None:
    assert question_of(target) == said


def test_the_audit_names_the_target(tmp_path: Path) -> None:
    table = SourceTable("simulated", simulated.simulate_images(24, tmp_path / "photographs"))
    catalog = build_catalog([table], MALIGNANT)
    found = run_audit(catalog, tmp_path / "cache")
    words = visible(write_audit(found, tmp_path / "out").read_text(encoding="utf-8"))
    assert f"{found.positives} photographs of malignant lesions" in words
    assert f"{question_of(MALIGNANT)}." in words
    paired = {diagnosis for pair in found.copies for diagnosis in pair.diagnoses}
    assert "melanoma" in paired or "melanoma" not in words.lower()
    assert audit_document(found)["target"] == MALIGNANT.to_dict()
