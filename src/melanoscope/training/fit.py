"""Training one network, and predicting with it.

The loop is here. The device and mixed precision are Lightning Fabric's, and several GPUs are open
to it: they would be named in `_fabric`, whose `setup` and `setup_dataloaders` divide the work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision
from numpy.typing import NDArray
from torch import Generator, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from melanoscope.errors import RunError
from melanoscope.models.lesion_net import LesionNet, to_images
from melanoscope.seeds import Purpose, derive_seed
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.training.augment import augment, sample_augmentation
from melanoscope.training.batches import Batch, LesionArrays, ordered_batches, training_batches
from melanoscope.training.config import TrainConfig
from melanoscope.training.early_stopping import EarlyStopping
from melanoscope.training.precision import accelerator, precision
from melanoscope.training.training_state import StateFile, TrainingState
from melanoscope.transfers import Transfer

EpochCallback = Callable[[int, dict[str, float]], None]
"""Called with the number of the finished epoch (from 1) and its row of the history."""


@dataclass(frozen=True)
class FitResult:
    """What a training leaves beside the network's weights.

    Attributes:
        history: One row per epoch: epoch (from 1), train_loss, val_loss, val_auroc, and lr, the
            learning rate that the epoch was trained with.
        best_epoch: Epoch with the lowest validation loss (from 1); the network holds its weights.
        seconds: Wall-clock time of the training, of all processes that it took.
        resumed_after: Epochs after which it was taken up again.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    resumed_after: list[int]


def fit(
    network: LesionNet,
    arrays: LesionArrays,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    config: TrainConfig,
    transfer: Transfer,
    seed: int,
    on_epoch: EpochCallback | None = None,
    state_file: StateFile | None = None,
    on_resume: Callable[[int], None] | None = None,
) -> FitResult:
    """Train a network and leave the weights of its best epoch in it, ready for prediction.

    With a `state_file` a training that was killed goes on after its last epoch, and gives the same
    weights to the bit as one that was not (on the processor, with the same number of threads).

    Args:
        network: Fresh or pretrained; trained in place.
        arrays: Photographs, static data and targets of the catalog.
        train: Rows of `arrays` to learn from, shape (n,).
        validation: Rows that decide on stopping and on the best epoch, shape (m,); disjoint from
            `train`.
        config: Settings of the training.
        transfer: With "frozen" the image branch stays as it is, batch norm's statistics included.
        seed: Seed of the training, which shuffling, augmentation and dropout get theirs from.
        on_epoch: Called after each epoch.
        state_file: Where the training's state is kept after each epoch, and taken up from; None
            keeps none.
        on_resume: Called with the number of finished epochs where the training is taken up again.

    Returns:
        The history, the best epoch and the time.

    Raises:
        RunError: The validation loss is no longer a finite number.

    >>> from melanoscope import patient
    >>> from melanoscope.models.lesion_net import fresh
    >>> rng = np.random.default_rng(0)
    >>> arrays = LesionArrays(
    ...     image_id=np.array([f"lesion {i}" for i in range(12)]),
    ...     pixels=rng.integers(0, 256, (12, 32, 32, 3), np.uint8),
    ...     rows=np.arange(12),
    ...     static=np.zeros((12, patient.WIDTH), np.float32),
    ...     targets=np.arange(12, dtype=np.int8) % 2,
    ... )
    >>> network = fresh("standard_cnn")
    >>> config = TrainConfig(epochs=1, batch_size=8)
    >>> result = fit(network, arrays, np.arange(8), np.arange(8, 12), config, "scratch", seed=0)
    >>> result.best_epoch, sorted(result.history[0])
    (1, ['epoch', 'lr', 'train_loss', 'val_auroc', 'val_loss'])
    >>> predict(network, arrays, np.arange(8, 12)).shape
    (4,)
    """
    fabric = _fabric(seed)
    network.freeze(transfer == "frozen")
    network.to(memory_format=torch.channels_last)
    adam, plateau = _optimizer(network, config, transfer)
    module, optimizer = fabric.setup(network, adam)
    shuffling, augmentation = (
        Generator().manual_seed(derive_seed(seed, purpose))
        for purpose in (Purpose.SHUFFLING, Purpose.AUGMENTATION)
    )
    train_batches, validation_batches = fabric.setup_dataloaders(
        training_batches(arrays, train, config.batch_size, shuffling),
        ordered_batches(arrays, validation),
    )
    state = TrainingState(
        network=network,
        adam=adam,
        plateau=plateau,
        stopping=EarlyStopping(config.stop_patience),
        generators={"shuffling": shuffling, "augmentation": augmentation},
        precision=fabric.strategy.precision,
    )
    if state_file is not None and state.restore(state_file) and on_resume is not None:
        on_resume(state.epoch)
    while state.epoch < config.epochs and not state.stopping.should_stop(state.epoch):
        started = time.perf_counter()
        network.train()
        train_loss = _train_one_epoch(fabric, module, optimizer, train_batches, augmentation)
        network.eval()
        epoch = state.epoch + 1
        val_loss, val_auroc = _evaluate(module, validation_batches, epoch)
        row = {
            "epoch": float(epoch),
            "train_loss": train_loss,
            "val_loss": val_loss,
            "val_auroc": val_auroc,
            "lr": adam.param_groups[0]["lr"],
        }
        state.history.append(row)
        state.stopping.update(epoch, val_loss, network)
        plateau.step(val_loss)
        state.seconds += time.perf_counter() - started
        if state_file is not None:
            state.save(state_file)
        if on_epoch is not None:
            on_epoch(epoch, row)
    state.stopping.restore(network)
    network.eval()
    return FitResult(state.history, state.stopping.best_epoch, state.seconds, state.resumed_after)


@torch.inference_mode()
def predict(
    network: LesionNet, arrays: LesionArrays, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Predict the probability of the target, in full precision.

    Args:
        network: A trained network; it is moved to the accelerator and put into evaluation.
        arrays: Photographs and static data of the catalog.
        rows: Rows of `arrays`, shape (n,).

    Returns:
        Probabilities, shape (n,), 0..1.
    """
    device = torch.device(accelerator())
    network = network.to(device).eval()
    logits = [
        network(to_images(pixels.to(device)), static.to(device)).double().cpu()
        for pixels, static, _ in ordered_batches(arrays, rows, 64)
    ]
    return torch.cat(logits).sigmoid().numpy()


class _MixedPrecision(MixedPrecision):
    """Mixed precision inside the network alone."""

    def convert_input(self, data: Any) -> Any:
        """Leave the images in single precision: half of it cannot hold their 256 levels."""
        return data


def _fabric(seed: int) -> Fabric:
    """Seed PyTorch's own random numbers, for dropout; choose the device and precision."""
    name, device = precision(), accelerator()
    plugin = Precision() if name == "32-true" else _MixedPrecision(name, device)
    fabric = Fabric(accelerator=device, devices=1, plugins=plugin)
    torch.manual_seed(derive_seed(seed, Purpose.DROPOUT))  # of CUDA, too
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # without it cuBLAS is not reproducible
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No operation here reads memory before it is written; filling it first only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return fabric


def _optimizer(
    network: LesionNet, config: TrainConfig, transfer: Transfer
) -> tuple[torch.optim.Adam, ReduceLROnPlateau]:
    """Return the optimizer of the trained parameters, and the schedule of its learning rate."""
    rate = config.frozen_learning_rate if transfer == "frozen" else config.learning_rate
    adam = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=rate)
    factor, patience = config.plateau_factor, config.plateau_patience
    return adam, ReduceLROnPlateau(adam, factor=factor, patience=patience)


def _train_one_epoch(
    fabric: Fabric,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Batch],
    augmentation: Generator,
) -> float:
    """Take one step per batch; return the mean of the batches' losses."""
    losses = []
    for pixels, static, targets in batches:
        images = augment(pixels, sample_augmentation(len(pixels), augmentation))
        loss = F.binary_cross_entropy_with_logits(module(images, static).float(), targets)
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


@torch.inference_mode()
def _evaluate(module: nn.Module, batches: Iterable[Batch], epoch: int) -> tuple[float, float]:
    """Return the loss and the AUROC of the validation photographs."""
    outputs = [(module(to_images(pixels), static), t) for pixels, static, t in batches]
    logits = torch.cat([logits for logits, _ in outputs]).double().cpu()
    targets = torch.cat([targets for _, targets in outputs]).double().cpu()
    loss = F.binary_cross_entropy_with_logits(logits, targets)
    if not torch.isfinite(loss):
        raise RunError(
            "a finite validation loss",
            f"{loss.item()} in epoch {epoch}",
            "lower the learning rate",
        )
    score = area_under_roc(targets.numpy() == 1, logits.numpy())
    return loss.item(), score
