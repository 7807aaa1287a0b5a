from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from melanoscope.benchmark.config import BenchmarkConfig, cells_of, parse_transfers
from melanoscope.benchmark.demo import demo_config
from melanoscope.data.sources import parse_spec
from melanoscope.errors import DataError, WeightsError
from melanoscope.runs.cell import skipped_transfers
from melanoscope.target import MALIGNANT, MELANOMA, Target, custom_target

DATA = (parse_spec("simulated=10"),)


def test_cells_cover_the_matrix_once_and_skip_what_cannot_be() -> None:
    config = BenchmarkConfig(
        DATA, ("standard_cnn", "resnet18"), ("scratch", "finetune"), folds=3, repeats=2
    )
    cells = cells_of(config)
    assert len(cells) == len({c.name for c in cells}) == 3 * 2 * 3
    assert [
        (s["backbone"], s["transfer"]) for s in skipped_transfers(config.backbones, config.transfer)
    ] == [("standard_cnn", "finetune")]


def test_further_seeds_come_last_and_change_no_other_cell() -> None:
    config = BenchmarkConfig(DATA, ("resnet18", "vgg16"), ("scratch",), folds=3, repeats=2)
    first, all_cells = cells_of(config), cells_of(replace(config, seeds=3))
    assert all_cells[: len(first)] == first
    assert len({cell.name for cell in all_cells}) == len(all_cells) == 3 * len(first)
    assert all_cells[-1].name == "vgg16-scratch-r1-f2-s2"
    assert config.identity() == replace(config, seeds=3).identity()
    written = json.loads(json.dumps(replace(config, seeds=3).to_dict()))
    assert BenchmarkConfig.from_dict(written).seeds == 3


def test_each_training_has_a_seed_of_its_own_and_shares_those_of_its_division() -> None:
    config = BenchmarkConfig(DATA, ("resnet18", "vgg16"), ("scratch", "frozen"), folds=5, repeats=3)
    cells = cells_of(replace(config, seeds=2))
    drawn = [cell.seeds(seed) for seed in (0, 1) for cell in cells]
    assert len({seeds["training"] for seeds in drawn}) == 2 * len(cells)
    assert len({seeds["division"] for seeds in drawn}) == 2 * 3
    assert len({seeds["validation"] for seeds in drawn}) == 2 * 3 * 5


def test_what_cannot_be_planned() -> None:
    with pytest.raises(DataError, match="nearest: vgg16"):
        BenchmarkConfig(DATA, ("vgg",))
    with pytest.raises(DataError, match="finetune"):
        parse_transfers("scratch,fine-tune")
    with pytest.raises(DataError, match="px"):
        BenchmarkConfig(DATA, ("vgg16",), image_size=16)
    with pytest.raises(DataError, match="none"):
        BenchmarkConfig(DATA, ())


@pytest.mark.parametrize(
    ("name", "option"),
    [
        *(("repeats", "--repeats"), ("seeds", "--seeds"), ("threads", "--threads")),
        *(("seed", "--seed"), ("image_size", "--size")),
    ],
)
@pytest.mark.parametrize("number", [-1, 10**20])
def test_numbers_that_no_run_can_have(name: str, option: str, number: int) -> None:
    with pytest.raises(DataError, match=f"{option} of .* found {number}"):
        BenchmarkConfig(DATA, ("vgg16",), **{name: number})


def test_a_recipe_of_another_version_is_one_line() -> None:
    written = BenchmarkConfig(DATA, ("vgg16",)).to_dict()
    for recipe in ({"optimiser": "Adam"}, {"epochs": [1]}):
        with pytest.raises(DataError, match="a recipe of this version"):
            BenchmarkConfig.from_dict(written | {"recipe": recipe})


def test_demo_uses_weights_that_are_at_hand(tmp_path: Path) -> None:
    config = demo_config(None, None)
    assert config.simulated
    assert config.backbones == ("standard_cnn", "tf_efficientnet_lite0")
    (tmp_path / "resnet18.pth").touch()
    assert "resnet18" in demo_config(None, tmp_path).backbones
    with pytest.raises(WeightsError, match="no folder"):
        demo_config(None, tmp_path / "absent")
    with pytest.raises(DataError, match="archive"):
        demo_config(tmp_path, None)


@pytest.mark.parametrize(
    "target",
    [
        MELANOMA,
        MALIGNANT,
        replace(MALIGNANT, indeterminate="malignant"),
        custom_target("keratinocyte_cancer", ("basal cell carcinoma", "squamous cell carcinoma")),
    ],
)
def test_the_target_is_recorded_and_part_of_a_runs_identity(target: Target) -> None:
    config = BenchmarkConfig(DATA, ("vgg16",), target=target)
    record = json.loads(json.dumps(config.to_dict()))
    assert BenchmarkConfig.from_dict(record).target == target
    other = BenchmarkConfig(DATA, ("vgg16",), target=custom_target("nevus", ("nevus",)))
    assert config.identity()["target"] != other.identity()["target"]


def test_the_posters_protocol_is_about_melanoma() -> None:
    with pytest.raises(DataError, match=r"the target melanoma.*found malignant"):
        BenchmarkConfig(DATA, ("vgg16",), protocol="poster", target=MALIGNANT)
