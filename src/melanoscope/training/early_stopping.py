"""The best epoch of a training, its weights, and when to stop looking for a better one."""

from __future__ import annotations

import copy

from torch import Tensor, nn


class EarlyStopping:
    """Keeps the weights of the epoch with the lowest validation loss, and says when to stop.

    Args:
        patience: Epochs without a lower loss after which training stops.

    Attributes:
        best_epoch: Epoch with the lowest loss so far, from 1; 0 before the first.
        lowest_loss: Its loss.
        weights: Its weights, in memory.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.best_epoch = 0
        self.lowest_loss = float("inf")
        self.weights: dict[str, Tensor] = {}

    def update(self, epoch: int, loss: float, network: nn.Module) -> None:
        """Keep the network's weights if `loss` of `epoch` is the lowest so far."""
        if loss < self.lowest_loss:
            self.lowest_loss, self.best_epoch = loss, epoch
            self.weights = copy.deepcopy(network.state_dict())

    def should_stop(self, epoch: int) -> bool:
        """Whether the loss has not fallen for `patience` epochs up to `epoch`."""
        return epoch - self.best_epoch >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Load the kept weights into `network`."""
        network.load_state_dict(self.weights)
