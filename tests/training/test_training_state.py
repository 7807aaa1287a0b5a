"""A training that is killed goes on after its last epoch, to the bit; no damaged state is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from melanoscope import patient
from melanoscope.models import lesion_net
from melanoscope.training import fit as fit_module
from melanoscope.training.batches import LesionArrays
from melanoscope.training.config import TrainConfig
from melanoscope.training.fit import FitResult, fit
from melanoscope.training.training_state import StateFile
from melanoscope.transfers import Transfer

TRAIN, VALIDATION = np.arange(0, 36), np.arange(36, 48)
# The plateau lowers the rate in between.
CONFIG = TrainConfig(
    epochs=4, batch_size=12, learning_rate=3e-3, plateau_patience=0, stop_patience=3
)


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.fixture(scope="module")
def arrays() -> LesionArrays:
    rng = np.random.default_rng(1)
    n = 48
    return LesionArrays(
        image_id=np.array([f"i{k}" for k in range(n)]),
        pixels=rng.integers(0, 256, (n, 32, 32, 3), np.uint8),
        rows=np.arange(n),
        static=rng.random((n, patient.WIDTH)).astype(np.float32),
        targets=(np.arange(n) % 3 == 0).astype(np.int8),
    )


def train(
    arrays: LesionArrays,
    *,
    file: StateFile | None = None,
    kill_after: int | None = None,
    transfer: Transfer = "scratch",
    config: TrainConfig = CONFIG,
) -> tuple[FitResult, dict[str, torch.Tensor], list[int]]:
    """Train; return the result, the weights and the epochs that this call trained."""
    torch.manual_seed(7)
    network = lesion_net.fresh("standard_cnn")
    trained: list[int] = []

    def on_epoch(epoch: int, _: dict[str, float]) -> None:
        trained.append(epoch)
        if epoch == kill_after:
            raise Killed

    result = fit(network, arrays, TRAIN, VALIDATION, config, transfer, 7, on_epoch, file)
    return result, network.state_dict(), trained


def assert_same(
    one: tuple[FitResult, dict[str, torch.Tensor], list[int]],
    other: tuple[FitResult, dict[str, torch.Tensor], list[int]],
) -> None:
    assert one[0].history == other[0].history
    assert one[0].best_epoch == other[0].best_epoch
    assert one[1].keys() == other[1].keys()
    for name, tensor in one[1].items():
        assert torch.equal(tensor, other[1][name]), name


@pytest.mark.parametrize("transfer", ["scratch", "frozen"])
def test_killed_after_every_epoch_it_ends_with_the_same_bits(
    arrays: LesionArrays, tmp_path: Path, transfer: Transfer
) -> None:
    undisturbed = train(arrays, transfer=transfer)
    assert len({row["lr"] for row in undisturbed[0].history}) > 1  # the schedule is part of it
    file = StateFile(tmp_path / "state", "this")
    for epoch in (1, 2, 3):
        with pytest.raises(Killed):
            train(arrays, file=file, kill_after=epoch, transfer=transfer)
        torch.rand(5)  # a new process has other random numbers behind it
    resumed = train(arrays, file=file, transfer=transfer)
    assert_same(undisturbed, resumed)
    assert resumed[2] == [4]
    assert resumed[0].resumed_after == [1, 2, 3]


def test_killed_after_its_last_epoch_nothing_is_trained_again(
    arrays: LesionArrays, tmp_path: Path
) -> None:
    file = StateFile(tmp_path / "state", "this")
    undisturbed = train(arrays, file=file)
    again = train(arrays, file=file)
    assert_same(undisturbed, again)
    assert again[2] == []


def test_the_best_epoch_survives_later_ones(
    arrays: LesionArrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = {1: 0.9, 2: 0.3, 3: 0.8, 4: 0.7}
    monkeypatch.setattr(fit_module, "_evaluate", lambda *a: (losses[a[2]], 0.5))
    undisturbed = train(arrays)
    assert undisturbed[0].best_epoch == 2
    file = StateFile(tmp_path / "state", "this")
    with pytest.raises(Killed):
        train(arrays, file=file, kill_after=3)
    assert_same(undisturbed, train(arrays, file=file))


def damaged_tensor(path: Path) -> None:
    tensors = load_file(path)
    name = next(name for name in tensors if name.startswith("network/") and "weight" in name)
    tensors[name].view(-1)[0] += 1
    save_file(tensors, path, metadata=metadata_of(path))


def without_metadata(path: Path) -> None:
    save_file(load_file(path), path)


def damaged_text(path: Path) -> None:
    found = metadata_of(path)
    changed = found["state"].replace('"seconds": 0.', '"seconds": 1.')
    assert changed != found["state"]
    save_file(load_file(path), path, metadata={**found, "state": changed})


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def metadata_of(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        return dict(stored.metadata())


@pytest.mark.parametrize("damage", [damaged_tensor, without_metadata, damaged_text, torn, zeroed])
def test_a_damaged_state_is_passed_over(
    arrays: LesionArrays, tmp_path: Path, damage: object
) -> None:
    file = StateFile(tmp_path / "state", "this")
    with pytest.raises(Killed):
        train(arrays, file=file, kill_after=1)
    assert callable(damage)
    damage(file.path)
    _, _, trained = train(arrays, file=file, config=replace(CONFIG, epochs=2))
    assert trained == [1, 2]


def test_the_state_of_another_training_is_passed_over(arrays: LesionArrays, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(arrays, file=StateFile(tmp_path / "state", "another"), kill_after=1)
    _, _, trained = train(
        arrays, file=StateFile(tmp_path / "state", "this"), config=replace(CONFIG, epochs=2)
    )
    assert trained == [1, 2]
