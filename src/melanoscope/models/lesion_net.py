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
from melanoscope.models.tensor_file import read_tensors, refuse_non_finite
from melanoscope.models.weights import load_pretrained, load_strictly

STATIC_UNITS = 250


@dataclass(frozen=True)
class Evidence:
    """The logits of n photographs as sums of what each input adds.

    Attributes:
        places: What each place of the feature map adds to the logit, shape (n, h', w').
        static: What age, sex and site add to the logit, shape (n,).
        bias: Bias of the linear head, shape ().
    """

    places: Tensor
    static: Tensor
    bias: Tensor

    @property
    def logit(self) -> Tensor:
        """The logit of each photograph: the sum of its parts, shape (n,)."""
        return self.places.sum(dim=(1, 2)) + self.static + self.bias


class _StaticBranch(nn.Sequential):
    """Two layers of 250 units with batch norm, ReLU and dropout 0.2, as the poster's."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for width in (patient.WIDTH, STATIC_UNITS):
            layers += [
                nn.Linear(width, STATIC_UNITS, bias=False),  # batch norm takes it away again
                nn.BatchNorm1d(STATIC_UNITS),
                nn.ReLU(inplace=True),
                nn.Dropout(0.2),
            ]
        super().__init__(*layers)


class LesionNet(nn.Module):
    """Network of the poster's Figure 1: a photograph and static data to one logit.

    Args:
        backbone: Entry of the registry.
        network: Whole network of that entry, fresh or pretrained; its classifier is cut off.
        with_static: Whether age, sex and site are used. Without them there is no static branch.

    >>> network = fresh("squeezenet1_1").eval()
    >>> images, static_data = torch.rand(2, 3, 64, 64), torch.zeros(2, patient.WIDTH)
    >>> logits = network(images, static_data)
    >>> logits.shape
    torch.Size([2])
    >>> evidence = network.evidence(images, static_data)
    >>> torch.allclose(evidence.logit, logits, atol=1e-4)
    True
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Backbone, network: nn.Module, *, with_static: bool = True) -> None:
        super().__init__()
        mean, deviation = backbone.normalization
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))
        self.backbone_name = backbone.name
        self.image_branch = backbone.cut(network)
        self.static_branch = _StaticBranch() if with_static else None
        self.head = nn.Linear(backbone.width + (STATIC_UNITS if with_static else 0), 1)
        self._frozen = False

    def freeze(self, frozen: bool) -> None:
        """Choose whether training keeps the image branch, batch norm's statistics included."""
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
        """Return the logits of the target.

        Args:
            images: RGB in 0..1, shape (n, 3, h, w), not normalized.
            static_data: Age, sex and site by `patient.encode`, shape (n, `patient.WIDTH`); ignored
                by a network without static branch.

        Returns:
            Logits, shape (n,).
        """
        pooled = self.features(images).mean(dim=(2, 3))
        if self.static_branch is not None:
            pooled = torch.cat([pooled, self.static_branch(static_data)], dim=1)
        logits: Tensor = self.head(pooled)
        return logits.squeeze(1)

    def evidence(self, images: Tensor, static_data: Tensor) -> Evidence:
        """Return the logits of images and static data as exact sums of their parts."""
        # Zhou et al. (2016), eq. 1-3.
        features = self.features(images)
        channels, area = features.shape[1], features.shape[2] * features.shape[3]
        weight = self.head.weight[0]
        places = torch.einsum("nchw,c->nhw", features, weight[:channels]) / area
        static = places.new_zeros(len(places))
        if self.static_branch is not None:
            static = self.static_branch(static_data) @ weight[channels:]
        return Evidence(places, static, self.head.bias[0])


def to_images(pixels: Tensor) -> Tensor:
    """Turn stored pixels (n, h, w, 3) uint8 into RGB in 0..1 (n, 3, h, w), channels last."""
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)


def fresh(name: str, *, with_static: bool = True) -> LesionNet:
    """Build the `LesionNet` of backbone `name` with fresh weights."""
    backbone = get_backbone(name)
    return LesionNet(backbone, backbone.build(), with_static=with_static)


def pretrained(
    name: str, folder: Path | None, *, with_static: bool = True, expected_hash: str | None = None
) -> LesionNet:
    """Build the `LesionNet` of backbone `name` with ImageNet weights; see `load_pretrained`."""
    backbone = get_backbone(name)
    network = load_pretrained(backbone, folder, expected_hash)
    return LesionNet(backbone, network, with_static=with_static)


def from_checkpoint(name: str, path: Path) -> LesionNet:
    """Rebuild a trained network, with a static branch where its checkpoint holds one.

    Args:
        name: Name of its backbone.
        path: Checkpoint, a safetensors file.

    Returns:
        The network, in evaluation.

    Raises:
        WeightsError: The file is broken, holds a NaN or belongs to another network.
    """
    tensors = read_tensors(path)
    with_static = any(key.startswith("static_branch.") for key in tensors)
    network = fresh(name, with_static=with_static)
    load_strictly(network, tensors, str(path))
    refuse_non_finite(tensors, str(path))
    return network.eval()
