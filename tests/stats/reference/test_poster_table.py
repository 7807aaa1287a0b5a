"""The poster's numbers: the proof that its AUROC is balanced accuracy, as a regression test."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.classification import auprc, auroc
from melanoscope.stats.reference import poster_table
from melanoscope.stats.reference.physicians import PHYSICIANS

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))

import poster_proof  # noqa: E402 - a script beside the package

PAGE = ROOT / "docs" / "published.md"


def _mean_errors(prevalence: float = poster_proof.PREVALENCE) -> tuple[float, float]:
    """Mean absolute error of predicted F1 and AUPRC over all 21 rows."""
    errors = []
    for row in poster_table.published_rows():
        found = poster_proof.reconstruct(row.accuracy.estimate, row.auroc.estimate, prevalence)
        errors.append((row.f1.estimate - found.f1, row.auprc.estimate - found.auprc))
    f1, auprc_error = np.abs(errors).mean(axis=0)
    return f1, auprc_error


def _markdown() -> str:
    """All rows with what is predicted for them, as the page's table."""
    heads = ["Table", "Network as printed", "Accuracy", '"AUROC"']
    heads += [f"{name}{what}" for name in ("F1", "AUPRC") for what in ("", " predicted", " error")]
    heads += ["Note"]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] * len(heads)) + " |"]
    for row in poster_table.published_rows():
        found = poster_proof.reconstruct(row.accuracy.estimate, row.auroc.estimate)
        cells = [
            row.table,
            row.label + row.stars.replace("*", "\\*"),
            f"{row.accuracy.estimate:.3f}",
            f"{row.auroc.estimate:.3f}",
        ]
        for printed, predicted in ((row.f1, found.f1), (row.auprc, found.auprc)):
            error = f"{predicted - printed.estimate:+.4f}"
            cells += [f"{printed.estimate:.3f}", f"{predicted:.3f}", error]
        lines.append("| " + " | ".join([*cells, row.note]) + " |")
    return "\n".join(lines) + "\n"


def test_all_21_rows_agree_with_rounded_predictions() -> None:
    rows = poster_table.published_rows()
    assert len(rows) == 21
    f1, auprc_error = _mean_errors()
    assert round(f1, 3) == 0.003
    assert round(auprc_error, 3) == 0.008


def test_no_other_reading_would_agree() -> None:
    """With the rows' AUROC handed round, accuracy alone does not foretell F1."""
    rows = poster_table.published_rows()
    moved = np.roll([row.auroc.estimate for row in rows], 5)
    errors = [
        abs(row.f1.estimate - poster_proof.reconstruct(row.accuracy.estimate, other).f1)
        for row, other in zip(rows, moved, strict=True)
    ]
    assert np.mean(errors) > 3 * _mean_errors()[0]


def test_a_real_auroc_would_not_lie_at_the_end_of_its_range() -> None:
    low, high, printed = np.array(
        [
            (
                *poster_proof.possible_auroc(row.accuracy.estimate, row.f1.estimate),
                row.auroc.estimate,
            )
            for row in poster_table.published_rows()
        ]
    ).T
    assert np.mean(high - low) > 0.1
    assert np.abs(printed - low).max() < 0.0125
    assert ((printed - low) / (high - low)).max() < 0.01


@pytest.mark.parametrize(("se", "x"), [(0.9, 0.05), (0.3, 0.1), (0.95, 0.7), (0.6, 0.3)])
def test_possible_auroc_bounds_every_concave_curve(se: float, x: float) -> None:
    """Concave curves through one point, drawn at random; both bounds are nearly reached."""
    rng = np.random.default_rng(0)
    p, sp = 0.2, 1 - x
    accuracy, f1 = p * se + (1 - p) * sp, 2 * p * se / (2 * p * se + p * (1 - se) + (1 - p) * x)
    low, high = poster_proof.possible_auroc(accuracy, f1, p)
    assert low == pytest.approx((se + sp) / 2, abs=1e-12)
    grid = np.linspace(0, 1, 10_001)
    areas = []
    for _ in range(2000):
        # Concave: the lowest of lines that pass above all three points, one through the middle.
        slopes = np.exp(rng.uniform(np.log((1 - se) / (1 - x)), np.log(se / x), 3))
        lift = rng.exponential(0.3, 3) * np.array([0, 1, 1])
        lines = [
            np.minimum(1, se + m * (grid - x) + up) for m, up in zip(slopes, lift, strict=True)
        ]
        areas.append(np.trapezoid(np.min(lines, axis=0), grid))
    areas.append(np.trapezoid(np.interp(grid, [0, x, 1], [0, se, 1]), grid))
    assert min(areas) > low - 1e-6
    assert max(areas) < high + 1e-6
    assert max(areas) > high - 2e-3


def test_possible_auroc_refuses_impossible_points() -> None:
    with pytest.raises(StatisticsError, match="a point above the diagonal"):
        poster_proof.possible_auroc(0.5, 0.9)
    with pytest.raises(StatisticsError, match="a point above the diagonal"):
        poster_proof.possible_auroc(0.9, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_reconstruction_is_exact_on_real_decisions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = (rng.random(5000) < 0.14).astype(int)
    decided = np.where(rng.random(5000) < 0.1, 1 - target, target)
    accuracy, area = (target == decided).mean(), roc_auc_score(target, decided)
    found = poster_proof.reconstruct(accuracy, area, target.mean())
    assert found.f1 == pytest.approx(f1_score(target, decided), abs=1e-10)
    assert found.auprc == pytest.approx(average_precision_score(target, decided), abs=1e-10)
    assert found.sensitivity == pytest.approx(decided[target == 1].mean(), abs=1e-10)


def _archive_only() -> tuple[float, float]:
    """AUROC and AUPRC of the archive's name on the poster's photographs, from counts."""
    added = poster_proof.ROWS - 33_126
    target = np.repeat([1, 1, 0], [added, 584, 33_126 - 584])
    name = np.repeat([1.0, 584 / 33_126], [added, 33_126])
    return auroc(target, name), auprc(target, name)


def test_the_archive_beats_the_best_network() -> None:
    area, precision = _archive_only()
    caught = (poster_proof.ROWS - 33_126) / poster_proof.MELANOMAS
    assert area == pytest.approx(0.5 + caught / 2, abs=1e-12)
    assert precision == pytest.approx(caught + poster_proof.PREVALENCE * (1 - caught), abs=1e-12)
    assert area > max(row.auroc.estimate for row in poster_table.published_rows())


def test_printed_row_of_a_network() -> None:
    for row in poster_table.published_rows():
        found = poster_table.printed_row(row.backbone or "", row.transfer)
        assert found == (row if row.backbone else None)
    row = poster_table.printed_row("googlenet", "finetune")
    assert (row.label, row.stars) == ("GoogLeNet [33]", "**")
    assert (row.auroc.estimate, row.auroc.half_width) == pytest.approx((0.928, 0.005))
    low, high = poster_proof.possible_auroc(row.accuracy.estimate, row.f1.estimate)
    assert row.auroc.estimate < low < high
    for backbone, transfer in (
        ("mnasnet1_0", "finetune"),  # two rows of this label
        ("efficientnet_b2", "finetune"),  # an empty row
        ("vgg16", "frozen"),
        ("resnet18", "scratch"),
    ):
        assert poster_table.printed_row(backbone, transfer) is None


def test_ambiguous_rows_are_marked() -> None:
    unclear = [row for row in poster_table.published_rows() if row.backbone is None]
    assert [row.auroc.estimate for row in unclear] == [0.918, 0.931]
    assert all(row.note for row in unclear)


def test_no_number_was_mistyped() -> None:
    """Sums of the printed columns times 1000, added up from the poster's text: (a), (b)."""
    printed = {
        "accuracy": ((10489, 47), (9675, 29)),
        "auroc": ((9499, 181), (9070, 106)),
        "auprc": ((7846, 256), (7957, 176)),
        "f1": ((8948, 210), (8752, 119)),
    }
    for metric, sums in printed.items():
        for letter, (means, widths) in zip("ab", sums, strict=True):
            mine = [
                getattr(row, metric) for row in poster_table.published_rows() if row.table == letter
            ]
            assert round(1000 * sum(one.estimate for one in mine)) == means
            assert round(1000 * sum(one.half_width for one in mine)) == widths
    unstarred = [
        row.label for row in poster_table.published_rows() if row.table == "b" and not row.stars
    ]
    assert unstarred == ["ResNeXt-50 [6]", "ShuffleNet [18]"]


def test_arms_and_physicians() -> None:
    rows = poster_table.published_rows()
    assert [row.transfer for row in rows] == ["scratch"] * 11 + ["finetune"] * 10
    known = {row.backbone for row in rows if row.table == "a"}
    assert len(known) == 11
    assert {row.backbone for row in rows} - {None} == known
    # Printed between the networks, with an AUROC only.
    printed = {"General Practitioners": (0.83, 0.03), "Dermatologists": (0.91, 0.02)}
    assert {who.label.title(): who.auroc.estimate for who in PHYSICIANS} == {
        label: area for label, (area, _) in printed.items()
    }
    for who, (_, half_width) in zip(PHYSICIANS, printed.values(), strict=True):
        assert who.auroc.half_width == pytest.approx(half_width, abs=0.0051)


def test_the_page_shows_what_the_code_computes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _markdown() in text
    words = " ".join(text.split())
    f1, auprc_error = _mean_errors()
    assert f"is {f1:.4f} for F1 and {auprc_error:.4f} for AUPRC" in words
    f1, auprc_error = _mean_errors(0.14)
    assert f"mean errors to {f1:.4f} and {auprc_error:.4f}" in words
    rows = poster_table.published_rows()
    ranges = np.array(
        [poster_proof.possible_auroc(r.accuracy.estimate, r.f1.estimate) for r in rows]
    )
    width, end = (ranges[:, 1] - ranges[:, 0]).mean(), ranges[:, 1].mean()
    assert f"the range is {width:.3f} wide and ends at {end:.3f}" in words
    away = np.abs(np.array([r.auroc.estimate for r in rows]) - ranges[:, 0])
    assert f"on average {away.mean():.3f} from it and never more than {away.max():.3f}" in words
    least = [poster_proof.reconstruct(r.accuracy.estimate, r.auroc.estimate).auprc for r in rows]
    above = np.array([r.auprc.estimate for r in rows]) - least
    assert (above > 0).all()
    assert f"all 21 within {above.max():.3f} of that least value" in words
    a, p = rows[-1].accuracy.estimate, poster_proof.PREVALENCE
    ends = [2 * p * se / (2 * p * se + 1 - a) for se in (1 - (1 - a) / p, 1)]
    assert f"{ends[0]:.3f} to {ends[1]:.3f} in the best row" in words
    area, precision = _archive_only()
    assert f"reaches AUROC {area:.3f} and AUPRC {precision:.3f}" in words
