"""Training one network with Lightning, and asking it for probabilities."""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lightning as L  # noqa: N812 - the usual name
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from numpy.typing import NDArray
from torch import Tensor

from melanoscope.errors import RunError
from melanoscope.models.lesion_net import LesionNet, to_images
from melanoscope.stats.metrics.classification import auroc
from melanoscope.training.augment import augment, sample_augmentation
from melanoscope.training.batches import Batch, LesionArrays, ordered_batches, training_batches
from melanoscope.training.config import TrainConfig, Transfer
from melanoscope.training.precision import accelerator, precision

EpochDone = Callable[[int, dict[str, float]], None]
"""Called with the epoch just finished (from 1) and its losses."""


@dataclass
class Fit:
    """What came of a training; the network holds the weights of its best epoch."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0


def fit(
    network: LesionNet,
    arrays: LesionArrays,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    recipe: TrainConfig,
    transfer: Transfer,
    seed: int,
    on_epoch: EpochDone | None = None,
) -> Fit:
    """Train a network and leave the weights of its best epoch in it.

    Args:
        network: Fresh or pretrained; trained in place.
        arrays: All photographs.
        train: Rows to learn from.
        validation: Rows that decide on stopping and on the best epoch; disjoint from `train`.
        recipe: Settings.
        transfer: With "frozen" the image branch stays as it is, batch norm's statistics included.
        seed: Of shuffling, augmentation and dropout.
        on_epoch: Told after each epoch.

    Raises:
        RunError: The loss is no longer a number.
    """
    L.seed_everything(seed, verbose=False)
    network.freeze(transfer == "frozen")
    network.train()  # Lightning keeps whatever mode it finds
    module = _Training(network, recipe, transfer, seed)
    result = Fit()
    watch = _Watch(result, on_epoch)
    _quiet()
    started = time.perf_counter()
    trainer = L.Trainer(
        accelerator=accelerator(),
        devices=1,
        precision=precision(),
        max_epochs=recipe.epochs,
        callbacks=[
            watch,
            EarlyStopping("val_loss", patience=recipe.stop_patience, check_finite=False),
        ],
        deterministic="warn",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(
        module,
        training_batches(arrays, train, recipe.batch_size, seed),
        ordered_batches(arrays, validation),
    )
    result.seconds = time.perf_counter() - started
    watch.restore(network)
    return result


@torch.inference_mode()
def predict(
    network: LesionNet, arrays: LesionArrays, chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability of melanoma for rows of the catalog, shape (n,), in full precision."""
    device = torch.device("cuda" if accelerator() == "cuda" else "cpu")
    network = network.to(device).eval()
    logits = [
        network(to_images(pixels.to(device)), known.to(device)).double().cpu()
        for pixels, known, _ in ordered_batches(arrays, chosen, 64)
    ]
    return torch.cat(logits).sigmoid().numpy()


class _Training(L.LightningModule):
    """The poster's loss, optimiser and schedule round a `LesionNet`."""

    def __init__(
        self, network: LesionNet, recipe: TrainConfig, transfer: Transfer, seed: int
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.recipe, self.transfer = recipe, transfer
        self.draws = torch.Generator().manual_seed(seed)
        self.losses: list[Tensor] = []
        self.seen: list[tuple[Tensor, Tensor]] = []

    def on_after_batch_transfer(
        self,
        batch: Batch,
        dataloader_idx: int,  # noqa: ARG002 - Lightning's signature
    ) -> Batch:
        """Augment on the training device, behind the transfer of bytes."""
        pixels, known, targets = batch
        if self.trainer.training:
            return augment(pixels, sample_augmentation(len(pixels), self.draws)), known, targets
        return to_images(pixels), known, targets

    def training_step(self, batch: Batch) -> Tensor:
        images, known, targets = batch
        loss = F.binary_cross_entropy_with_logits(self.network(images, known).float(), targets)
        self.losses.append(loss.detach())
        return loss

    def validation_step(self, batch: Batch) -> None:
        images, known, targets = batch
        self.seen.append((self.network(images, known).float(), targets))

    def on_validation_epoch_end(self) -> None:
        logits = torch.cat([logits for logits, _ in self.seen]).double().cpu()
        targets = torch.cat([targets for _, targets in self.seen]).double().cpu()
        self.seen.clear()
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        if not torch.isfinite(loss):
            raise RunError(
                "a finite validation loss",
                f"{loss.item()} in epoch {self.current_epoch + 1}",
                "lower the learning rate",
            )
        self.log("val_loss", loss)
        score = auroc(targets.numpy().astype(np.int64), logits.sigmoid().numpy())
        self.log("val_auroc", torch.tensor(score))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        frozen = self.transfer == "frozen"
        rate = self.recipe.frozen_learning_rate if frozen else self.recipe.learning_rate
        trained = [p for p in self.network.parameters() if p.requires_grad]
        adam = torch.optim.Adam(trained, lr=rate)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            adam, factor=self.recipe.plateau_factor, patience=self.recipe.plateau_patience
        )
        return {
            "optimizer": adam,
            "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"},
        }


class _Watch(Callback):
    """Keeps the history and the best epoch's weights.

    Lightning's own checkpoints are pickles; these stay in memory until they are written as
    safetensors.
    """

    def __init__(self, result: Fit, on_epoch: EpochDone | None) -> None:
        self.result, self.on_epoch = result, on_epoch
        self.best: dict[str, Tensor] | None = None
        self.lowest = float("inf")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module: Any = pl_module
        metrics = trainer.callback_metrics
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "train_loss": torch.stack(module.losses).mean().item(),
            "val_loss": metrics["val_loss"].item(),
            "val_auroc": metrics["val_auroc"].item(),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
        }
        module.losses.clear()
        self.result.history.append(row)
        if row["val_loss"] < self.lowest:
            self.lowest = row["val_loss"]
            self.result.best_epoch = trainer.current_epoch + 1
            self.best = copy.deepcopy(module.network.state_dict())
        if self.on_epoch is not None:
            self.on_epoch(trainer.current_epoch + 1, row)

    def restore(self, network: LesionNet) -> None:
        """Put the best epoch's weights back."""
        if self.best is not None:
            network.load_state_dict(self.best)
        network.eval()


def _quiet() -> None:
    """Keep Lightning's advice off the terminal, which shows one progress display of ours."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # The gather needs no worker processes; a copy of a memory map would only cost time.
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    # A frozen image branch is in evaluation on purpose.
    warnings.filterwarnings("ignore", ".*module.* in eval mode at the start of training.*")
    warnings.filterwarnings("ignore", ".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", ".*infer the `batch_size`.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated.*")
