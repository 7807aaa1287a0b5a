"""The poster's numbers: the proof that its AUROC is balanced accuracy, as a regression test."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from melanoscope.evidence import published
from melanoscope.evidence.metrics import auprc, auroc

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


def test_all_21_rows_agree_with_rounded_predictions() -> None:
    rows = published.table()
    assert len(rows) == 21
    f1, auprc_error = published.mean_errors()
    assert round(f1, 3) == 0.003
    assert round(auprc_error, 3) == 0.008


def test_no_other_reading_would_agree() -> None:
    """With the rows' AUROC handed round, accuracy alone does not foretell F1."""
    rows = published.table()
    moved = np.roll([row.auroc.mean for row in rows], 5)
    errors = [
        abs(row.f1.mean - published.reconstruct(row.accuracy.mean, other).f1)
        for row, other in zip(rows, moved, strict=True)
    ]
    assert np.mean(errors) > 3 * published.mean_errors()[0]


@pytest.mark.parametrize("seed", range(5))
def test_reconstruction_is_exact_on_real_decisions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = (rng.random(5000) < 0.14).astype(int)
    decided = np.where(rng.random(5000) < 0.1, 1 - target, target)
    accuracy, area = (target == decided).mean(), roc_auc_score(target, decided)
    found = published.reconstruct(accuracy, area, target.mean())
    assert found.f1 == pytest.approx(f1_score(target, decided), abs=1e-10)
    assert found.auprc == pytest.approx(average_precision_score(target, decided), abs=1e-10)
    assert found.sensitivity == pytest.approx(decided[target == 1].mean(), abs=1e-10)


def test_archive_only_is_that_of_the_counts() -> None:
    added = published.ROWS - 33_126
    target = np.repeat([1, 1, 0], [added, 584, 33_126 - 584])
    name = np.repeat([1.0, 584 / 33_126], [added, 33_126])
    area, precision = published.archive_only()
    assert area == pytest.approx(auroc(target, name), abs=1e-12)
    assert precision == pytest.approx(auprc(target, name), abs=1e-12)
    best = max(row.auroc.mean for row in published.table())
    assert area > best  # the archive's name beats the poster's best network


def test_ambiguous_rows_are_marked() -> None:
    unclear = [row for row in published.table() if row.backbone is None]
    assert [row.auroc.mean for row in unclear] == [0.918, 0.931]
    assert all(row.note for row in unclear)


def test_the_page_shows_what_the_code_computes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert published.markdown() in text
    assert re.search(r"0\.0026.*0\.0083", text, re.DOTALL)
