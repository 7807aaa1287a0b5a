from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from melanoscope import patient
from melanoscope.errors import DataError, RunError
from melanoscope.models import lesion_net
from melanoscope.stats.metrics.classification import auroc
from melanoscope.training import fit as fit_module
from melanoscope.training.batches import LesionArrays, ordered_batches, training_batches
from melanoscope.training.config import TrainConfig
from melanoscope.training.fit import fit, predict

TRAIN, VALIDATION, TEST = np.arange(0, 64), np.arange(64, 80), np.arange(80, 112)
QUICK = TrainConfig(epochs=4, batch_size=16, learning_rate=3e-3)


@pytest.fixture(scope="module")
def arrays() -> LesionArrays:
    """Dark photographs with a dark spot are of class 1; rows are shuffled in the store."""
    rng = np.random.default_rng(0)
    n = 112
    targets = (rng.random(n) < 0.5).astype(np.int8)
    pixels = rng.integers(120, 200, (n, 40, 40, 3)).astype(np.uint8)
    pixels[targets == 1, 10:30, 10:30] //= 3
    order = rng.permutation(n)
    stored = np.empty_like(pixels)
    stored[order] = pixels
    return LesionArrays(
        image_id=np.array([f"i{k}" for k in range(n)]),
        pixels=stored,
        rows=order,
        static=np.zeros((n, patient.WIDTH), np.float32),
        targets=targets,
    )


def trained(arrays: LesionArrays, recipe: TrainConfig, seed: int = 0) -> np.ndarray:
    torch.manual_seed(seed)
    network = lesion_net.fresh("standard_cnn")
    fit(network, arrays, TRAIN, VALIDATION, recipe, "scratch", seed)
    return predict(network, arrays, TEST)


def test_learns_what_can_be_learnt(arrays: LesionArrays) -> None:
    probabilities = trained(arrays, replace(QUICK, epochs=12, stop_patience=12))
    assert auroc(arrays.targets[TEST], probabilities) > 0.95


def test_the_same_command_twice_gives_the_same_predictions(arrays: LesionArrays) -> None:
    first, again = trained(arrays, QUICK), trained(arrays, QUICK)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, trained(arrays, QUICK, seed=1))


def test_keeps_the_best_epoch_and_stops_early(
    arrays: LesionArrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epoch 2 is made the best; its weights must be the ones that remain."""
    losses = iter([0.9, 0.1, 0.5, 0.5, 0.5, 0.5])
    real = torch.nn.functional.binary_cross_entropy_with_logits

    def fake(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Validation loss alone is computed in double precision."""
        if logits.dtype == torch.float64:
            return torch.tensor(next(losses))
        return real(logits, targets)

    monkeypatch.setattr(fit_module.F, "binary_cross_entropy_with_logits", fake)
    kept: list[dict[str, torch.Tensor]] = []
    torch.manual_seed(0)
    network = lesion_net.fresh("standard_cnn")
    recipe = replace(QUICK, epochs=6, stop_patience=3)
    seen: list[int] = []

    def after(epoch: int, _losses: dict[str, float]) -> None:
        seen.append(epoch)
        kept.append({n: t.clone() for n, t in network.state_dict().items()})

    result = fit(network, arrays, TRAIN, VALIDATION, recipe, "scratch", 0, after)
    assert result.best_epoch == 2
    assert len(result.history) == 5
    assert seen == [1, 2, 3, 4, 5]
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, kept[1][name]), name


def test_learning_rate_falls_on_a_plateau(arrays: LesionArrays) -> None:
    recipe = replace(QUICK, epochs=5, stop_patience=9, learning_rate=1e-12)
    network = lesion_net.fresh("standard_cnn")
    history = fit(network, arrays, TRAIN, VALIDATION, recipe, "scratch", 0).history
    assert history[-1]["lr"] == pytest.approx(1e-12 * 0.4)


def test_frozen_trains_the_head_and_nothing_of_the_image_branch(arrays: LesionArrays) -> None:
    torch.manual_seed(0)
    network = lesion_net.fresh("shufflenet_v2_x0_5")  # batch norm, which has statistics to lose
    before = {n: t.clone() for n, t in network.state_dict().items()}
    fit(network, arrays, TRAIN, VALIDATION, replace(QUICK, epochs=1), "frozen", 0)
    for name, tensor in network.state_dict().items():
        if name.startswith("image_branch"):
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(network.head.weight, before["head.weight"])


def test_a_network_handed_over_in_evaluation_is_trained_all_the_same(arrays: LesionArrays) -> None:
    network = lesion_net.fresh("shufflenet_v2_x0_5").eval()
    statistics = "image_branch.conv1.1.running_mean"
    before = network.state_dict()[statistics].clone()
    fit(network, arrays, TRAIN, VALIDATION, replace(QUICK, epochs=1), "scratch", 0)
    assert not torch.equal(network.state_dict()[statistics], before)


def test_a_loss_that_is_no_number_is_an_error(arrays: LesionArrays) -> None:
    network = lesion_net.fresh("standard_cnn")
    with torch.no_grad():
        network.head.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="finite"):
        fit(network, arrays, TRAIN, VALIDATION, QUICK, "scratch", 0)


def test_batches_gather_the_right_photographs(arrays: LesionArrays) -> None:
    pixels, _, targets = next(iter(ordered_batches(arrays, TEST)))
    np.testing.assert_array_equal(targets.numpy(), arrays.targets[TEST])
    dark = pixels[:, 15:25, 15:25].float().mean(dim=(1, 2, 3)) < 100
    np.testing.assert_array_equal(dark.numpy(), arrays.targets[TEST] == 1)


def test_training_batches_are_shuffled_and_of_one_size(arrays: LesionArrays) -> None:
    loader = training_batches(arrays, TRAIN[:50], 16, torch.Generator().manual_seed(0))
    epochs = [torch.cat([t for _, _, t in loader]) for _ in range(2)]
    assert [len(epoch) for epoch in epochs] == [48, 48]
    assert not torch.equal(epochs[0], epochs[1])
    assert len(list(training_batches(arrays, TRAIN[:5], 16, torch.Generator()))) == 1


def test_impossible_recipes_are_refused() -> None:
    for number in (0, 10**20):
        with pytest.raises(DataError, match="epoch"):
            TrainConfig(epochs=number)
        with pytest.raises(DataError, match="batch"):
            TrainConfig(batch_size=number)
