"""The table of the vocabulary in the documents is the vocabulary."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data.vocabulary import DIAGNOSIS_WORDS, ENTRIES, plain_word, translate_diagnoses

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnoses.md"
REAL = os.environ.get("MELANOSCOPE_REAL")


def table() -> str:
    heads = (
        "diagnosis",
        "malignancy",
        "ISIC archive's tree",
        "ISIC 2019",
        "MILK10k",
        "other words",
    )
    rows = [heads, ["-"] * len(heads)]
    for entry in ENTRIES:
        words = (entry.get(kind, ()) for kind in ("isic", "isic2019", "milk10k", "words"))
        cells = ("; ".join(some) for some in words)
        rows.append((entry["name"], entry["malignancy"] or "unknown", *cells))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_document_holds_the_vocabulary():
    """To write it anew: put what `table()` returns between the two comments."""
    text = DOCUMENT.read_text("utf-8")
    between = text.partition("<!-- table -->\n")[2].partition("\n<!-- end of table -->")[0]
    assert between == table()


def test_no_word_stands_twice():
    words = [
        plain_word(word)
        for entry in ENTRIES
        for word in (
            entry["name"],
            *(w for kind in ("isic", "isic2019", "milk10k", "words") for w in entry.get(kind, ())),
        )
    ]
    by_word: dict[str, set[str]] = {}
    for word in words:
        by_word.setdefault(word, set()).add(DIAGNOSIS_WORDS[word])
    assert all(len(meanings) == 1 for meanings in by_word.values())


# What the real tables hold: each distinct diagnosis has its place.
COLUMNS = {
    "tables/isic_export/metadata.csv": ("diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis_1"),
    "lesions/ham10000/HAM10000_metadata.csv": ("dx",),
    "lesions/isic2020/ISIC_2020_Training_GroundTruth.csv": ("diagnosis",),
    "lesions/pad-ufes-20/metadata.csv": ("diagnostic",),
}


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no MELANOSCOPE_REAL")
@pytest.mark.parametrize("name", COLUMNS)
def test_each_diagnosis_of_the_real_tables_has_its_place(name):
    frame = pl.read_csv(Path(str(REAL)) / name, infer_schema=False)
    words = frame.select(COLUMNS[name]).unique()
    placed = translate_diagnoses([words[column] for column in COLUMNS[name]], name)
    said = words.select(pl.any_horizontal(pl.all().is_not_null()))[:, 0]
    unplaced = words.filter(said & (placed == "unknown"))
    assert set(unplaced.rows()) <= {("unknown",)}
    # The two coarsest levels are words too: no row falls back on benign or malignant alone.
    assert not placed.str.starts_with("unknown ").any()
