"""The surest mistakes, as photographs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.data.content_hash import file_hash
from melanoscope.imaging.decode import write_image
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.poster_figures import figure_2, figure_4
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.sections.misses import misses_section
from melanoscope.runs.reader import read_run


def _write_photographs(context: ReportContext, folder: Path) -> ReportContext:
    folder.mkdir()
    paths = []
    for i, image_id in enumerate(context.run.catalog["image_id"]):
        write_image(folder / f"{image_id}.png", np.full((8, 8, 3), i % 256, np.uint8))
        paths.append(str(folder / f"{image_id}.png"))
    catalog = context.run.catalog.with_columns(
        path=pl.Series(paths), content=pl.Series([file_hash(path) for path in paths])
    )
    return replace(context, run=replace(context.run, catalog=catalog))


def test_misses_are_the_extremes_of_each_class(context: ReportContext, tmp_path: Path) -> None:
    gone = misses_section(context)
    assert "no file" in gone.missing
    assert not gone.figures
    section = misses_section(_write_photographs(context, tmp_path / "photographs"))
    rows = context.run.predictions.filter(backbone=context.best[0], transfer=context.best[1]).sort(
        "probability"
    )
    missed = rows.filter(target=1).head(6).select("image_id", "probability").to_dicts()
    alarms = rows.filter(target=0).tail(6).reverse().select("image_id", "probability").to_dicts()
    assert section.numbers["missed_positives"] == missed
    assert section.numbers["false_alarms"] == alarms


def test_only_photographs_of_the_run_are_shown(context: ReportContext, tmp_path: Path) -> None:
    """A stranger's catalog names whatever lies on the reader's machine."""
    context = _write_photographs(context, tmp_path / "photographs")
    mine = tmp_path / "mine.png"
    write_image(mine, np.full((8, 8, 3), 200, np.uint8))
    for other in ({"path": pl.lit(str(mine))}, {"content": pl.lit(None, pl.String)}):
        catalog = context.run.catalog.with_columns(**other)
        strange = replace(context, run=replace(context.run, catalog=catalog))
        for found in (misses_section(strange).missing, figure_2(strange.run)):
            assert "another file under the name of one" in found
        assert isinstance(figure_4(strange), str)
    assert isinstance(figure_2(context.run), ReportFigure)


def test_fewer_melanomas_than_panels_are_not_filled_up_with_others(
    tmp_path: Path, labels: dict[str, str], writer
) -> None:
    folder = writer(tmp_path / "few", {("vgg16", "scratch"): 1.0}, folds=2, photographs=25)
    run = read_run(folder)
    context = ReportContext(run=run, labels=labels, replicates=50)
    section = misses_section(_write_photographs(context, tmp_path / "photographs"))
    melanomas = set(run.catalog.filter(target=1)["image_id"])
    missed = [miss["image_id"] for miss in section.numbers["missed_positives"]]
    assert len(missed) == len(melanomas) == 5
    assert set(missed) == melanomas
    assert len(section.numbers["false_alarms"]) == 6
