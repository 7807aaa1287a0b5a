"""What a run folder was given is what is read from it: damage is found, mended and never mixed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.run import run_benchmark
from melanoscope.data.sources import parse_spec
from melanoscope.errors import RunError
from melanoscope.locks import LockedError
from melanoscope.models import lesion_net
from melanoscope.models.backbones import get_backbone
from melanoscope.runs import files
from melanoscope.runs.reader import read_run
from melanoscope.runs.run_folder import RunFolder
from melanoscope.training.config import TrainConfig
from tests.benchmark.test_run import Silent

CONFIG = BenchmarkConfig(
    (parse_spec("simulated=60"),),
    ("standard_cnn",),
    ("scratch",),
    folds=2,
    image_size=32,
    train=TrainConfig(epochs=1, batch_size=16),
    threads=1,
)
FIRST, SECOND = "standard_cnn-scratch-r0-f0", "standard_cnn-scratch-r0-f1"
KEPT = ("catalog.parquet", "predictions.parquet", "validation.parquet", "baselines.parquet")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    assert run(out, cache) == [FIRST, SECOND]
    return out


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def run(out: Path, cache: Path, config: BenchmarkConfig = CONFIG) -> list[str]:
    progress = Silent()
    run_benchmark(config, out, cache, progress)
    return progress.cells


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in KEPT}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


def test_the_same_command_gives_the_same_bytes(whole: Path, cache: Path, tmp_path: Path) -> None:
    run(tmp_path / "again", cache)
    assert tables(tmp_path / "again") == tables(whole)


@pytest.mark.parametrize("damage", [cut, zero, flip, remove])
@pytest.mark.parametrize("name", [*files.CELL_FILES, files.DONE])
def test_a_damaged_cell_alone_is_trained_again(
    whole: Path, copy: Path, cache: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(copy / "cells" / SECOND / name)
    with pytest.raises(RunError):
        read_run(copy)
    if (name, damage) == (files.CHECKPOINT, flip):  # one of each kind is enough to train
        assert run(copy, cache) == [SECOND]
        assert tables(copy) == tables(whole)
        read_run(copy)
    else:
        assert [cell.name for cell in RunFolder(copy).finished()] == [FIRST]


@pytest.mark.parametrize("damage", [cut, zero, flip, remove])
@pytest.mark.parametrize("name", files.TABLES)
def test_a_damaged_table_is_refused_by_name(
    copy: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(copy / name)
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        read_run(copy)


def test_damaged_tables_are_written_anew(whole: Path, copy: Path, cache: Path) -> None:
    for name in files.TABLES:
        zero(copy / name)
    assert run(copy, cache) == []
    assert tables(copy) == tables(whole)
    read_run(copy)


def test_a_kill_after_the_folder_was_taken_leaves_it_to_its_run(
    whole: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the writes that begin a run: the folder was refused for ever at one of them."""
    write_json, write_table = files.write_json, files.write_table
    for kill_at in range(1, 6):
        out, calls = tmp_path / f"run{kill_at}", 0

        def count(write: Callable[..., None], *arguments: object, at: int = kill_at) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt
            write(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write_json", lambda *a: count(write_json, *a))
            patch.setattr(files, "write_table", lambda *a: count(write_table, *a))
            with pytest.raises(KeyboardInterrupt):
                run(out, cache)
        folder = RunFolder(out)
        with folder.exclusive():
            record = json.loads((whole / "run.json").read_text())
            folder.begin(record, {})
        assert (out / "run.json").is_file()


def test_two_processes_do_not_write_one_folder(copy: Path, cache: Path) -> None:
    with RunFolder(copy).exclusive(), pytest.raises(LockedError, match="nobody else writing"):
        run(copy, cache)


def test_what_was_refused_leaves_no_folder(cache: Path, tmp_path: Path) -> None:
    bad = replace(CONFIG, data=(parse_spec("ham10000=nowhere"),))
    with pytest.raises(Exception, match="nowhere"):
        run(tmp_path / "new", cache, bad)
    assert not (tmp_path / "new").exists()


def test_a_cell_of_another_run_is_not_taken(
    whole: Path, copy: Path, cache: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    run(other, cache, replace(CONFIG, seed=5))
    shutil.rmtree(copy / "cells" / SECOND)
    shutil.copytree(other / "cells" / SECOND, copy / "cells" / SECOND)
    assert [cell.name for cell in RunFolder(copy).finished()] == [FIRST]
    with pytest.raises(RunError, match=r"done\.json says|of another"):
        read_run(copy)
    assert run(copy, cache) == [SECOND]
    assert tables(copy) == tables(whole)


def test_a_run_keeps_its_number_of_threads(copy: Path, cache: Path) -> None:
    assert run(copy, cache, replace(CONFIG, threads=None)) == []
    assert json.loads((copy / "run.json").read_text())["threads"] == 1
    with pytest.raises(RunError, match="threads = 2"):
        run(copy, cache, replace(CONFIG, threads=2))


def test_other_weights_under_the_same_name_are_noticed(cache: Path, tmp_path: Path) -> None:
    def put(seed: int) -> None:
        torch.manual_seed(seed)
        state = get_backbone("squeezenet1_1").build().state_dict()
        save_file(state, tmp_path / "weights" / "squeezenet1_1.safetensors")

    (tmp_path / "weights").mkdir()
    put(1)
    config = replace(
        CONFIG, backbones=("squeezenet1_1",), transfer=("frozen",), weights=tmp_path / "weights"
    )
    cells = run(tmp_path / "run", cache, config)
    shutil.rmtree(tmp_path / "run" / "cells" / cells[1])
    put(2)
    with pytest.raises(RunError, match="weights of squeezenet1_1"):
        run(tmp_path / "run", cache, config)
    known = json.loads((tmp_path / "run" / "run.json").read_text())["weights"]["squeezenet1_1"]
    with pytest.raises(Exception, match="that the run began with"):  # replaced during the run
        lesion_net.pretrained("squeezenet1_1", tmp_path / "weights", expected_hash=known["xxh3"])
    put(1)
    assert run(tmp_path / "run", cache, config) == cells[1:]
