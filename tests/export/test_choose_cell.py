"""Which of a run's trained networks is exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from melanoscope.export.trained_model import choose_cell
from melanoscope.runs.reader import read_run

SKILL = {("resnet50", "scratch"): 0.9, ("resnet50", "finetune"): 2.0}


def test_of_several_trainings_the_first_is_taken(
    writer: Callable[..., Path], tmp_path: Path
) -> None:
    """To take the best of them by its test photographs would spoil the test."""
    run = read_run(writer(tmp_path / "run", SKILL, repeats=2, seeds=3))
    for fold in range(5):
        cell, selection = choose_cell(run, fold=fold)
        assert cell.name == f"resnet50-finetune-r0-f{fold}"
    assert selection.among == 2
