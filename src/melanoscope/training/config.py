"""How a network is trained: the poster's recipe as the default."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import DataError

MOST_EPOCHS = 1_000_000
MOST_BATCH = 1_000_000


def refuse_beyond(number: int, least: int, most: int, option: str) -> None:
    """Raise a DataError unless the number of an option is `least` to `most`.

    >>> refuse_beyond(0, 1, 9, "--repeats")
    Traceback (most recent call last):
    melanoscope.errors.DataError: expected --repeats of 1 to 9; found 0; choose another number
    """
    if not least <= number <= most:
        raise DataError(f"{option} of {least} to {most}", str(number), "choose another number")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training, with the poster's values.

    Attributes:
        epochs: Largest number of epochs, 1 to 1,000,000.
        batch_size: Photographs per step, 2 to 1,000,000.
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
        DataError: A number of epochs or a batch size out of range.
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
        refuse_beyond(self.epochs, 1, MOST_EPOCHS, "--epochs")
        refuse_beyond(self.batch_size, 2, MOST_BATCH, "--batch-size")
