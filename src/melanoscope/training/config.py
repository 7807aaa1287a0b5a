"""How a network is trained: the poster's recipe as the default."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import DataError


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training, with the poster's values.

    Attributes:
        epochs: Largest number of epochs, at least 1.
        batch_size: Photographs per step, at least 2.
        learning_rate: Learning rate of Adam.
        frozen_learning_rate: Learning rate of Adam where only the head and the static branch are
            trained. The poster has no such transfer; at its rate the head has not converged after
            15 epochs.
        plateau_factor: Factor on the learning rate when the validation loss stalls.
        plateau_patience: Epochs without a lower validation loss that the learning rate survives
            (the poster does not say how many).
        stop_patience: Epochs without a lower validation loss after which training stops.
        validation_fraction: Share of the training photographs, taken by whole groups, that decides
            on stopping, on the weights that are kept and on the threshold.

    Raises:
        DataError: A number of epochs or a batch size below its least.
    """

    epochs: int = 15
    batch_size: int = 64
    learning_rate: float = 5e-4
    frozen_learning_rate: float = 1e-3
    plateau_factor: float = 0.4
    plateau_patience: int = 1
    stop_patience: int = 3
    validation_fraction: float = 0.15

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise DataError("at least 1 epoch", str(self.epochs), "raise --epochs")
        if self.batch_size < 2:
            raise DataError("a batch of at least 2 photographs", str(self.batch_size), "raise it")
