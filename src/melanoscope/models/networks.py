"""Networks of our own, and how a whole network is cut at its last feature map.

PyTorch is imported here, so that the registry, which names and counts, can be read without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class StandardCNN(nn.Module):
    """The poster's baseline: five convolutions of 11 filters, kernel 4, max-pool 3, dropout 0.4.

    The poster's code kept the convolutions in a Python list, where no optimiser found them; here
    they are submodules and are trained. Where its pooling stood is not said: it stands behind the
    first convolution, whose padding keeps small photographs alive.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(5):
            layers += [nn.Conv2d(3 if index == 0 else 11, 11, 4, padding=1), nn.ReLU(inplace=True)]
            if index == 0:
                layers.append(nn.MaxPool2d(3))
        self.features = nn.Sequential(*layers, nn.Dropout(0.4))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, h, w) to features (n, 11, h', w')."""
        features: Tensor = self.features(images)
        return features


class TimmFeatures(nn.Module):
    """A timm network without pooling and classifier."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        network.reset_classifier(0, "")  # type: ignore[operator]
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, h, w) to features (n, width, h', w')."""
        features: Tensor = self.network(images)
        return features


def in_a_row(network: nn.Module, names: Sequence[str], *, relu: bool = False) -> nn.Sequential:
    """Return children of a network in a row, and a ReLU behind them where asked for."""
    stages = nn.Sequential()
    for name in names:
        stages.add_module(name, getattr(network, name))
    if relu:
        stages.add_module("after", nn.ReLU())
    return stages
