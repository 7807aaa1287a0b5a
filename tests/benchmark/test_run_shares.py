"""Learning curves: runs on shares of the training groups, inside the whole run."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.dataset import prepare_dataset
from melanoscope.benchmark.run import run_benchmark
from melanoscope.benchmark.shares import parse_shares
from melanoscope.data.sources import parse_spec
from melanoscope.errors import DataError, RunError
from melanoscope.progress import RunProgress
from melanoscope.runs.reader import read_run
from melanoscope.runs.shares import read_shares, share_folder
from melanoscope.training.config import TrainConfig

CONFIG = BenchmarkConfig(
    (parse_spec("simulated=60"),),
    ("standard_cnn",),
    ("scratch",),
    folds=2,
    seeds=2,
    image_size=32,
    train=TrainConfig(epochs=1, batch_size=16),
    threads=1,
)
SHARES = (0.3, 0.6)


class Names(RunProgress):
    """Keeps the names of the cells that were begun; ends the process before one."""

    def __init__(self, until: str = "") -> None:
        super().__init__(quiet=True)
        self.cells: list[str] = []
        self.until = until
        self.decoded = 0

    def decoding(self, done: int, total: int) -> None:
        self.decoded += done == total

    def cell_begins(self, name: str, index: int, total: int, epochs: int) -> None:
        if name == self.until:
            raise KeyboardInterrupt
        assert 0 <= index < total == 12
        self.cells.append(name)
        super().cell_begins(name, index, total, epochs)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    progress = Names()
    run_benchmark(CONFIG, out, cache, progress, SHARES, draws=2)
    assert len(progress.cells) == 12
    assert progress.cells[4] == "standard_cnn-scratch-r0-f0 on 30 %"
    assert progress.decoded == 2  # at the networks' size and the checks', not once for each share
    return out


def test_shares_are_runs_of_the_same_photographs(whole: Path) -> None:
    run = read_run(whole)
    shares = read_shares(run)
    assert [one.configuration.share for one in shares] == list(SHARES)
    assert [one.path for one in shares] == [share_folder(whole, share) for share in SHARES]
    assert run.configuration.share == 1
    assert "share" not in run.record.identity
    columns = ["image_id", "target", "fold", "seed_index"]
    tested = run.predictions.select(columns).sort(columns)
    for one in shares:
        assert one.record.folds == run.record.folds
        assert one.predictions.select(columns).sort(columns).equals(tested)
        assert not one.predictions["probability"].equals(run.predictions["probability"])


def test_parts_shrink_and_nest(cache: Path) -> None:
    dataset = prepare_dataset(CONFIG, cache, Names())
    parts = [replace(dataset, config=replace(CONFIG, share=s)) for s in (*SHARES, 1.0)]
    groups = dataset.usable.frame["group_id"].to_numpy()
    for fold, draw in product(range(2), range(2)):
        splits = [part.split(0, fold, draw) for part in parts]
        for smaller, larger in pairwise(splits):
            assert set(smaller.train) < set(larger.train)
            assert set(smaller.validation) <= set(larger.validation)
            assert (smaller.test == larger.test).all()
        for share, split in zip(SHARES, splits, strict=False):
            assert len(split.train) == pytest.approx(share * len(splits[-1].train), abs=4)
            learned = {*groups[split.train], *groups[split.validation]}
            assert not learned & set(groups[split.test])
            assert not set(groups[split.train]) & set(groups[split.validation])
    first, second = (parts[0].split(0, 0, draw).train for draw in (0, 1))
    assert set(first) != set(second)
    assert set(parts[2].split(0, 0, 0).train) == set(parts[2].split(0, 0, 1).train)


def test_cells_say_how_many_positives_they_learned_from(whole: Path) -> None:
    run = read_run(whole)
    total = run.catalog["target"].sum()
    for one in (run, *read_shares(run)):
        for key, record in one.records.items():
            rows = {"fold": key.fold, "seed_index": key.seed_index}
            validated = one.validation.filter(**rows)
            tested = one.predictions.filter(**rows)
            assert record.n_validation == validated.height
            assert record.n_train_positives is not None
            outside = total - tested["target"].sum()
            if one is run:
                assert record.n_train_positives == outside - validated["target"].sum()
            else:
                expected = one.configuration.share * outside
                learned = record.n_train_positives + validated["target"].sum()
                assert learned == pytest.approx(expected, abs=4)


def test_goes_on_where_it_stopped_and_gives_the_same(
    whole: Path, cache: Path, tmp_path: Path
) -> None:
    out, stop = tmp_path / "run", "standard_cnn-scratch-r0-f1 on 60 %"
    progress = Names(until=stop)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(CONFIG, out, cache, progress, SHARES, draws=2)
    assert [one.configuration.share for one in read_shares(read_run(out))] == [0.3]
    progress = Names()
    run_benchmark(CONFIG, out, cache, progress, SHARES, draws=2)
    assert progress.cells == [stop, *(f"standard_cnn-scratch-r0-f{f}-s1 on 60 %" for f in (0, 1))]
    for one, other in zip(read_shares(read_run(out)), read_shares(read_run(whole)), strict=True):
        assert one.predictions.equals(other.predictions)
        assert one.validation.equals(other.validation)


def test_a_network_of_a_share_is_exported_with_the_parts_it_had(whole: Path, cache: Path) -> None:
    from melanoscope.export.trained_model import model_from_run

    share = share_folder(whole, 0.3)
    model = model_from_run(share, cache, Names(), backbone="standard_cnn", fold=1)
    record = read_run(share).records[model.cell]
    assert len(model.split.train) == record.n_train < model.arrays.targets.size / 4


def test_shares_of_another_run_are_refused(whole: Path, tmp_path: Path, cache: Path) -> None:
    run_benchmark(
        replace(CONFIG, seed=1, seeds=1), tmp_path / "run", cache, RunProgress(quiet=True)
    )
    (tmp_path / "run" / "shares").symlink_to(whole / "shares")
    with pytest.raises(RunError, match=r"of another \(.*seed"):
        read_shares(read_run(tmp_path / "run"))


def test_a_share_is_part_of_the_identity_and_a_whole_run_is_as_before() -> None:
    part = replace(CONFIG, share=0.3)
    assert part.identity() == CONFIG.identity() | {"share": 0.3}
    written = json.loads(json.dumps(part.to_dict()))
    assert BenchmarkConfig.from_dict(written).share == 0.3
    assert "share" not in CONFIG.to_dict()
    for share in (0.0, 1.5, float("nan")):
        with pytest.raises(DataError, match="a share above 0"):
            replace(CONFIG, share=share)
    with pytest.raises(DataError, match="leave out --protocol or --shares"):
        replace(CONFIG, protocol="poster", share=0.5)


@pytest.mark.parametrize(
    ("text", "draws", "why"),
    [
        ("0.1,0.25,0.5,1", 1, "--draws of"),
        ("0.1,0.25,0.5,1", 10**9, "--draws of"),
        ("0.1,0.5,1", 3, "4 shares or more"),
        ("0.1,0.1,0.10,0.5", 3, "4 shares or more"),
        ("0,0.1,0.25,0.5", 3, "'0'"),
        ("0.1,0.25,0.5,10", 3, "'10'"),
        ("0.1,nan,0.5,1", 3, "'nan'"),
        ("a tenth", 3, "'a tenth'"),
        ("", 3, "4 shares or more"),
    ],
)
def test_shares_that_make_no_curve(text: str, draws: int, why: str) -> None:
    with pytest.raises(DataError, match=why):
        parse_shares(text, draws)


def test_the_whole_is_always_a_share() -> None:
    assert parse_shares("0.5,0.1,0.25", 2) == parse_shares("1,0.1,0.25,0.5", 2) == (0.1, 0.25, 0.5)
    assert parse_shares(None, 0) == ()
