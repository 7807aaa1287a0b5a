"""Small whole runs: resumed, refused, and with broken photographs among the good ones."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.run import run_benchmark
from melanoscope.data.sources import parse_spec, simulated
from melanoscope.errors import DataError, RunError, WeightsError
from melanoscope.progress import RunProgress
from melanoscope.runs.cell import CellKey
from melanoscope.runs.run_folder import RunFolder
from melanoscope.training.config import TrainConfig

TRAIN = TrainConfig(epochs=1, batch_size=16)


class Silent(RunProgress):
    """Keeps the names of the cells that were begun."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.cells: list[str] = []

    def cell_begins(self, name: str, index: int, total: int, epochs: int) -> None:
        self.cells.append(name)
        super().cell_begins(name, index, total, epochs)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def config() -> BenchmarkConfig:
    return BenchmarkConfig(
        (parse_spec("simulated=60"),),
        ("standard_cnn",),
        ("scratch",),
        folds=2,
        image_size=32,
        train=TRAIN,
    )


@pytest.fixture
def start(config: BenchmarkConfig, cache: Path, tmp_path: Path) -> Callable[..., list[str]]:
    def go(other: BenchmarkConfig | None = None, out: str = "run") -> list[str]:
        progress = Silent()
        run_benchmark(other or config, tmp_path / out, cache, progress)
        return progress.cells

    return go


def test_writes_the_contract(start: Callable[..., list[str]], tmp_path: Path) -> None:
    assert start() == ["standard_cnn-scratch-r0-f0", "standard_cnn-scratch-r0-f1"]
    folder = tmp_path / "run"
    about = json.loads((folder / "run.json").read_text())
    assert about["configuration"]["simulated"] is True
    assert about["data"]["photographs"] == 60
    assert sum(f["photographs"] for f in about["folds"]["sizes"][0]) == 60
    predictions = pl.read_parquet(folder / "predictions.parquet")
    assert predictions.columns == [
        *("image_id", "target", "fold", "repeat", "backbone", "transfer"),
        *("seed_index", "probability", "threshold"),
    ]
    # Each photograph is tested once, in its own fold, and never trained on then.
    catalog = pl.read_parquet(folder / "catalog.parquet")
    joined = predictions.join(catalog, on="image_id", validate="1:1")
    assert joined.height == 60
    assert (joined["fold"] == joined["fold_r0"]).all()
    assert (joined["target"] == joined["target_right"]).all()
    assert catalog.group_by("group_id").agg(pl.col("fold_r0").n_unique())["fold_r0"].max() == 1
    cell = folder / "cells" / "standard_cnn-scratch-r0-f0"
    assert {p.name for p in cell.iterdir()} == {
        *("done.json", "history.csv", "model.safetensors", "predictions.parquet"),
        "validation.parquet",
    }


def test_goes_on_where_it_stopped_and_gives_the_same(
    start: Callable[..., list[str]], tmp_path: Path
) -> None:
    """A cell alone is the cell in its run: nothing is carried over (the poster's error 4)."""
    start()
    folder = tmp_path / "run"
    whole = pl.read_parquet(folder / "predictions.parquet")
    cell = folder / "cells" / "standard_cnn-scratch-r0-f1"
    (cell / "done.json").unlink()  # as a kill would leave it
    (cell / "predictions.parquet").write_bytes(b"half")
    (folder / "predictions.parquet").unlink()
    assert start() == ["standard_cnn-scratch-r0-f1"]
    assert pl.read_parquet(folder / "predictions.parquet").equals(whole)
    assert start() == []
    assert len(json.loads((folder / "run.json").read_text())["resumed"]) == 2


def test_may_be_given_more_networks(
    start: Callable[..., list[str]], config: BenchmarkConfig, tmp_path: Path
) -> None:
    start()
    more = replace(config, backbones=("squeezenet1_1",))
    assert [name.partition("-")[0] for name in start(more)] == ["squeezenet1_1"] * 2
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert about["configuration"]["backbones"] == ["standard_cnn", "squeezenet1_1"]
    assert pl.read_parquet(tmp_path / "run" / "predictions.parquet").height == 120


def test_refuses_the_folder_of_another_run(
    start: Callable[..., list[str]], config: BenchmarkConfig, tmp_path: Path
) -> None:
    start()
    with pytest.raises(RunError, match="seed"):
        start(replace(config, seed=1))
    with pytest.raises(RunError, match="data_fingerprint"):
        start(replace(config, data=(parse_spec("simulated=50"),)))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").touch()
    with pytest.raises(RunError, match="other files"):
        start(out="other")
    (other / "run.json").write_text("{}")
    with pytest.raises(RunError, match="cannot be read"):
        start(out="other")


def test_a_full_disk_leaves_nothing_to_trust(
    start: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(self: pl.DataFrame, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(RunError, match="full disk"):
            start()
    run_folder = RunFolder(tmp_path / "run")
    assert not run_folder.is_done(CellKey(0, 0, "standard_cnn", "scratch"))
    assert not list((tmp_path / "run").rglob("*.partial"))
    assert len(start()) == 2


def test_goes_on_without_broken_photographs_and_says_so(cache: Path, tmp_path: Path) -> None:
    photographs = simulated.simulate_images(60, cache / "simulated")
    folder = tmp_path / "own"
    folder.mkdir()
    for path in photographs["path"]:
        shutil.copy(path, folder)
    broken = Path(photographs["path"][7]).name
    whole = (folder / broken).read_bytes()
    (folder / broken).write_bytes(whole[: len(whole) // 2])
    (folder / Path(photographs["path"][8]).name).unlink()
    table = photographs.with_columns(
        path=pl.col("path").map_elements(lambda p: Path(p).name, return_dtype=pl.String)
    )
    table.drop("dataset").write_csv(folder / "own.csv")
    spec = parse_spec(f"table={folder / 'own.csv'}")
    config = BenchmarkConfig(
        (spec,), ("standard_cnn",), ("scratch",), folds=2, image_size=32, train=TRAIN
    )
    run_benchmark(config, tmp_path / "run", cache, Silent())
    data = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert (data["rows"], data["found"], data["absent"], data["photographs"]) == (60, 59, 1, 58)
    assert data["absent_examples"] == [photographs["image_id"][8]]
    assert [one["image_id"] for one in data["unreadable"]] == [photographs["image_id"][7]]
    assert "truncated" in data["unreadable"][0]["reason"]
    named = pl.read_parquet(tmp_path / "run" / "predictions.parquet")["image_id"]
    assert len(set(photographs["image_id"]) - set(named)) == 2


def test_missing_weights_are_known_before_anything_is_read(
    config: BenchmarkConfig, cache: Path, tmp_path: Path
) -> None:
    other = replace(
        config, backbones=("resnet18",), transfer=("scratch", "finetune"), weights=tmp_path
    )
    with pytest.raises(WeightsError, match="resnet18"):
        run_benchmark(other, tmp_path / "run", cache, Silent())
    assert not (tmp_path / "run").exists()


def test_more_folds_than_groups(config: BenchmarkConfig, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="folds"):
        run_benchmark(replace(config, folds=50), tmp_path / "run", cache, Silent())
    assert not (tmp_path / "run").exists()


@pytest.mark.real
def test_a_network_on_real_photographs_is_better_than_chance(
    real_folder: Path, cache: Path, tmp_path: Path
) -> None:
    config = BenchmarkConfig(
        (parse_spec(f"ham10000={real_folder / 'lesions' / 'ham10000'}"),),
        ("squeezenet1_1",),
        ("frozen",),
        folds=2,
        image_size=64,
        weights=real_folder / "weights",
        train=TrainConfig(epochs=2),
    )
    run_benchmark(config, tmp_path / "run", cache, Silent())
    cells = sorted((tmp_path / "run" / "cells").glob("*/done.json"))
    scores = [json.loads(path.read_text())["auroc"] for path in cells]
    assert np.mean(scores) > 0.65


def test_what_cannot_be_is_skipped_also_after_the_run_was_widened(
    start: Callable[..., list[str]], config: BenchmarkConfig, tmp_path: Path
) -> None:
    """Another network brings its arm; for the first network that arm is no unfinished work."""
    start()
    start(replace(config, transfer=("scratch", "finetune")))
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [(s["backbone"], s["transfer"]) for s in about["skipped"]] == [
        ("standard_cnn", "finetune")
    ]


def test_the_posters_protocol_goes_on_from_fold_to_fold_and_tests_on_one_set(
    start: Callable[..., list[str]],
    config: BenchmarkConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Errors 3 and 4 of the poster, computed on purpose."""
    from melanoscope.models import lesion_net

    begun_from: list[str] = []
    original = lesion_net.from_checkpoint

    def watched(name: str, path: Path) -> lesion_net.LesionNet:
        begun_from.append(path.parent.name)
        return original(name, path)

    monkeypatch.setattr(lesion_net, "from_checkpoint", watched)
    start(replace(config, protocol="poster"))
    assert begun_from == ["standard_cnn-scratch-r0-f0"]
    folder = tmp_path / "run"
    predictions = pl.read_parquet(folder / "predictions.parquet")
    tested = [set(p["image_id"]) for p in predictions.partition_by("fold")]
    assert tested[0] == tested[1]
    assert predictions["threshold"].unique().to_list() == [0.5]
    validated = pl.read_parquet(folder / "validation.parquet")
    assert not set(validated["image_id"]) & tested[0]
    with pytest.raises(RunError, match="protocol"):
        start(config)


def test_near_duplicates_stay_in_one_fold(config: BenchmarkConfig, cache: Path) -> None:
    """A photograph is put into the archive again under another id and another patient."""
    from melanoscope.benchmark.dataset import prepare_dataset

    found = prepare_dataset(config, cache, Silent())
    assert config.near_duplicates
    for pair in found.checks.near_duplicates:
        rows = found.usable.frame.filter(pl.col("image_id").is_in([pair.a, pair.b]))
        assert rows["group_id"].n_unique() == 1
    apart = prepare_dataset(replace(config, near_duplicates=False), cache, Silent())
    assert apart.checks.near_duplicates == found.checks.near_duplicates
    groups = apart.usable.frame["group_id"].n_unique()
    assert groups >= found.usable.frame["group_id"].n_unique()


def test_photographs_are_looked_at_once(
    config: BenchmarkConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from melanoscope.benchmark import photo_checks
    from melanoscope.benchmark.dataset import prepare_dataset

    looked = []
    original = photo_checks.find_near_duplicates
    monkeypatch.setattr(
        photo_checks,
        "find_near_duplicates",
        lambda *a, **k: looked.append(len(a[1])) or original(*a, **k),
    )
    first, again = (prepare_dataset(config, tmp_path, Silent()) for _ in range(2))
    assert looked == [60]
    assert again.checks.near_duplicates == first.checks.near_duplicates
    assert np.array_equal(again.checks.skin, first.checks.skin, equal_nan=True)
    # Other photographs under the same ids are looked at anew.
    one = Path(first.usable.frame["path"][0])
    one.write_bytes(one.read_bytes() + b" ")
    prepare_dataset(config, tmp_path, Silent())
    assert looked == [60, 60]
