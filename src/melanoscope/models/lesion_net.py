"""The network of the poster's Figure 1, with a head that adds up exactly.

Photograph -> backbone -> global average pool; age, sex and site -> two layers of 250 units; both,
side by side, -> one linear layer. Since that layer is linear, the logit is the sum of what each
place of the photograph says, what the static data says, and a bias (Zhou et al. 2016, eq. 1-3).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from melanoscope import patient
from melanoscope.models.backbones import Backbone, get_backbone
from melanoscope.models.weights import load_pretrained, load_strictly, read_tensors

STATIC_UNITS = 250


@dataclass(frozen=True)
class Evidence:
    """The logit of each photograph as a sum.

    Attributes:
        places: Shape (n, h', w'): what each place of the photograph adds.
        static: Shape (n,): what age, sex and site add.
        bias: Shape (): what is there before anything is seen.
    """

    places: Tensor
    static: Tensor
    bias: Tensor

    @property
    def logit(self) -> Tensor:
        """The sum, shape (n,)."""
        return self.places.sum(dim=(1, 2)) + self.static + self.bias


class StaticBranch(nn.Sequential):
    """Two layers of 250 units with batch norm, ReLU and dropout 0.2, as the poster's.

    The linear layers have no bias, since batch norm takes it away again.
    """

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for width in (patient.WIDTH, STATIC_UNITS):
            layers += [
                nn.Linear(width, STATIC_UNITS, bias=False),
                nn.BatchNorm1d(STATIC_UNITS),
                nn.ReLU(inplace=True),
                nn.Dropout(0.2),
            ]
        super().__init__(*layers)


class LesionNet(nn.Module):
    """Figure 1: photographs and static data to one logit of melanoma.

    Args:
        backbone: Entry of the registry.
        network: Its whole network, fresh or pretrained; its classifier is cut off.
        with_static: Whether age, sex and site are used; without, the static branch does not exist.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Backbone, network: nn.Module, *, with_static: bool = True) -> None:
        super().__init__()
        mean, deviation = backbone.normalisation
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))
        self.backbone_name = backbone.name
        self.image_branch = backbone.cut(network)
        self.static_branch = StaticBranch() if with_static else None
        self.head = nn.Linear(backbone.width + (STATIC_UNITS if with_static else 0), 1)
        self._frozen = False

    def freeze(self, frozen: bool) -> None:
        """Keep the image branch as it is in training, batch norm's statistics included."""
        self._frozen = frozen
        self.image_branch.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> LesionNet:
        """Enter training or evaluation; a frozen image branch stays in evaluation."""
        super().train(mode)
        if self._frozen:
            self.image_branch.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, shape (n, 3, h, w), to the last feature map (n, width, h', w')."""
        features: Tensor = self.image_branch((images - self.mean) / self.deviation)
        return features

    def forward(self, images: Tensor, static_data: Tensor) -> Tensor:
        """Return logits of melanoma.

        Args:
            images: RGB in 0..1, shape (n, 3, h, w), not normalised.
            static_data: `patient.encode`'s, shape (n, `patient.WIDTH`); passed over by a
                network of the photograph alone.

        Returns:
            Shape (n,).
        """
        joined = self.features(images).mean(dim=(2, 3))
        if self.static_branch is not None:
            joined = torch.cat([joined, self.static_branch(static_data)], dim=1)
        logits: Tensor = self.head(joined)
        return logits.squeeze(1)

    def evidence(self, images: Tensor, static_data: Tensor) -> Evidence:
        """Return the logit as the exact sum of its parts; arguments as `forward`."""
        features = self.features(images)
        weight = self.head.weight[0]
        seen, known = weight[: features.shape[1]], weight[features.shape[1] :]
        area = features.shape[2] * features.shape[3]
        places = torch.einsum("nchw,c->nhw", features, seen) / area
        told = (
            places.new_zeros(len(places))
            if self.static_branch is None
            else self.static_branch(static_data) @ known
        )
        return Evidence(places, told, self.head.bias[0])


def to_images(pixels: Tensor) -> Tensor:
    """Turn stored pixels (n, h, w, 3) uint8 into RGB in 0..1 (n, 3, h, w), channels last."""
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)


def fresh(name: str, *, with_static: bool = True) -> LesionNet:
    """Build a `LesionNet` from scratch."""
    backbone = get_backbone(name)
    return LesionNet(backbone, backbone.build(), with_static=with_static)


def pretrained(name: str, folder: Path | None, *, with_static: bool = True) -> LesionNet:
    """Build a `LesionNet` whose backbone carries ImageNet weights; folder as `load_pretrained`."""
    backbone = get_backbone(name)
    return LesionNet(backbone, load_pretrained(backbone, folder), with_static=with_static)


def from_checkpoint(name: str, path: Path) -> LesionNet:
    """Rebuild a trained network from its safetensors, with a static branch where they hold one.

    Raises:
        WeightsError: The file is broken or belongs to another network.
    """
    tensors = read_tensors(path)
    with_static = any(key.startswith("static_branch.") for key in tensors)
    network = fresh(name, with_static=with_static)
    load_strictly(network, tensors, str(path))
    return network.eval()
