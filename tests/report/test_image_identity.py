"""Every drawn photograph is the one that its words speak of, under both protocols."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.run import run_benchmark
from melanoscope.data.sources import parse_spec
from melanoscope.imaging.decode import read_image
from melanoscope.progress import RunProgress
from melanoscope.report import build as build_module
from melanoscope.report import from_run
from melanoscope.stats.metrics.classification import auroc
from melanoscope.training.config import TrainConfig

SIZE = 32


class Reported:
    """A report with the figures that went into it, and what the run's files say."""

    def __init__(self, folder: Path, parts: dict[str, Any]) -> None:
        self.figure_2, self.figure_4 = parts["figure_2"], parts["figure_4"]
        self.sections = {section.name: section for section in parts["sections"]}
        self.catalog = pl.read_parquet(folder / "catalog.parquet")
        self.predictions = pl.read_parquet(folder / "predictions.parquet")

    def image_id(self, axes: Any, size: int) -> str:
        """Name the photograph of the catalog whose pixels are drawn."""
        drawn = np.asarray(axes.images[0].get_array())
        for image_id, path in self.catalog.select("image_id", "path").iter_rows():
            if np.array_equal(read_image(Path(path), size), drawn):
                return str(image_id)
        raise AssertionError("pixels of no photograph of the catalog")

    def row(self, image_id: str) -> dict[str, Any]:
        return self.catalog.row(by_predicate=pl.col("image_id") == image_id, named=True)


@pytest.fixture(scope="module", params=["corrected", "poster"])
def reported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = tmp_path_factory.mktemp(request.param)
    config = BenchmarkConfig(
        data=(parse_spec("simulated=120"),),
        backbones=("standard_cnn",),
        transfer=("scratch",),
        folds=2,
        image_size=SIZE,
        train=TrainConfig(epochs=1, batch_size=16),
        protocol=request.param,
    )
    run_benchmark(config, folder / "run", folder / "cache", RunProgress(quiet=True))
    parts: dict[str, Any] = {}
    original_build, original_sections = from_run.build, build_module.all_sections

    def build(context: Any, **figures: Any) -> Any:
        parts.update(figures)
        return original_build(context, **figures)

    def all_sections(context: Any) -> Any:
        parts["sections"] = original_sections(context)
        return parts["sections"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(from_run, "build", build)
        patch.setattr(build_module, "all_sections", all_sections)
        from_run.report_run(folder / "run", replicates=100)
    return Reported(folder / "run", parts)


def test_figure_2_shows_photographs_of_both_classes(reported: Reported) -> None:
    rows = [axes for axes in reported.figure_2.figure.axes if axes.images][::6]
    drawn = [reported.row(reported.image_id(axes, SIZE)) for axes in rows]
    assert [row["target"] for row in drawn] == [0, 1, 0, 1]
    for target in (0, 1):
        first = reported.catalog.filter(target=target)["image_id"].sort().head(2)
        assert [row["image_id"] for row in drawn if row["target"] == target] == first.to_list()
    assert "Simulated lesions" in reported.figure_2.caption


def test_figure_4_shows_the_melanoma_that_the_network_is_surest_of(reported: Reported) -> None:
    cells = reported.predictions.partition_by("fold")
    best = max(cells, key=lambda c: auroc(c["target"].to_numpy(), c["probability"].to_numpy()))
    surest = best.filter(target=1).sort("probability", "image_id", descending=[True, False])
    image_id = reported.image_id(reported.figure_4.figure.axes[0], SIZE)
    assert image_id == surest["image_id"][0]
    assert reported.row(image_id)["target"] == 1
    label, percent = re.search(
        r"photograph \((.+?); .+ gives melanoma (\d+) %\)", reported.figure_4.caption
    ).groups()
    assert label == "a melanoma"
    assert float(percent) == pytest.approx(100 * surest["probability"][0], abs=0.51)


def test_the_worst_misses_are_labelled_as_the_files_say(reported: Reported) -> None:
    if "misses" not in reported.sections:  # its networks are not judged on their own
        assert reported.predictions["threshold"].unique().to_list() == [0.5]
        return
    section = reported.sections["misses"]
    probability = dict(reported.predictions.select("image_id", "probability").iter_rows())
    axes = [one for one in section.figures[0].figure.axes if one.images]
    drawn = [reported.image_id(one, 160) for one in axes]
    for image_id, one in zip(drawn, axes, strict=True):
        row = reported.row(image_id)
        assert one.get_xlabel().split("\n") == [
            *(f"{probability[image_id]:.3f}", row["dataset"], row["diagnosis"])
        ]
    missed = [name for name in drawn if reported.row(name)["target"] == 1]
    assert drawn[: len(missed)] == missed
    by_target = reported.predictions.sort("probability")
    assert missed == by_target.filter(target=1)["image_id"].head(6).to_list()
    alarms = by_target.filter(target=0).reverse()["image_id"].head(6).to_list()
    assert drawn[len(missed) :] == alarms
    assert [one["image_id"] for one in section.numbers["missed_positives"]] == missed
    assert [one["image_id"] for one in section.numbers["false_alarms"]] == alarms
