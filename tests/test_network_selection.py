"""The study of the comparison of networks: its arithmetic, and its form in small."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import network_selection
from network_selection import Outcome, Setting, rates


def outcome(like: list[float], low: list[float], high: list[float], auroc: list[float]) -> Outcome:
    four = (np.array(one) for one in (like, low, high, auroc))
    return Outcome(*four, truth=np.array([0.9, 0.8]), flattery=0.02)


def test_rates_by_hand() -> None:
    """The first of two networks is better by 0.1."""
    setting = Setting("", "lesions", 100, 0.3, 5, networks=1, gain=0.1)
    right = outcome([1, 0], [0, -0.2], [0.2, 0], [0.91, 0.79])
    wrong = outcome([0, 1], [-0.2, -0.01], [0, 0.2], [0.85, 0.86])
    found = rates(setting, [right, right, right, wrong])
    assert found["best_in_set"]["estimate"] == 0.75
    assert found["worse_in_set"] == 0.25
    assert found["intervals_hold"]["estimate"] == 0.75
    assert found["falsely_within_margin"]["estimate"] == 0.25
    assert found["true_flattery"] == pytest.approx((3 * 0.01 + 0.06) / 4)


def test_in_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(network_selection, "SETTINGS", network_selection.SETTINGS[:1])
    page = tmp_path / "page.md"
    page.write_text("before <!-- table --> <!-- table --> after")
    options = ["--repetitions", "12", "--replicates", "100", "--workers", "0"]
    monkeypatch.setattr(sys, "argv", ["", *options, "--markdown", str(page)])
    network_selection.main()
    text = page.read_text()
    assert text.startswith("before")
    assert text.endswith("after")
    row = next(line for line in text.splitlines() if line.startswith("| 8 networks"))
    assert float(row.split("|")[2]) >= 75
