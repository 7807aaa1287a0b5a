"""Networks and photographs on which a mistake of an export shows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from melanoscope import patient
from melanoscope.models import lesion_net
from melanoscope.models.backbones import POSTER, REGISTRY
from melanoscope.models.lesion_net import LesionNet

PX = 64


def slow_but(*quick: str) -> list[Any]:
    """Return all backbones as parameters, slow but for some: exports take time for each layer."""
    slow = [name for name in dict.fromkeys((*POSTER, *REGISTRY)) if name not in quick]
    return [*quick, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


ALL_BACKBONES = slow_but(
    "standard_cnn", "squeezenet1_1", "mobilenet_v2", "shufflenet_v2_x1_0", "resnet18"
)


def lively(name: str, *, with_static: bool = True) -> LesionNet:
    """Build a network whose batch norm has statistics, weights and biases of its own."""
    torch.manual_seed(0)
    network = lesion_net.fresh(name, with_static=with_static).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = None  # the mean over all batches
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            # Without batch norm PyTorch's own start lets little of the photograph through.
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.uniform_(module.bias, -0.1, 0.1)
    for module in network.modules():
        if hasattr(module, "downsample"):
            # A residual block adds little in trained networks too; else rounding grows to 1e-4.
            nn.init.uniform_(getattr(module, "bn3", module.bn2).weight, 0.1, 0.4)
        if hasattr(module, "block") and getattr(module, "use_res_connect", False):
            nn.init.uniform_(module.block[-1][1].weight, 0.1, 0.4)
    with torch.no_grad():
        for _ in range(2):
            network(coloured(16), torch.rand(16, patient.WIDTH))
    return network.eval()


def coloured(count: int, px: int = PX) -> Tensor:
    """Draw large soft patches of colour with some grain, RGB in 0..1, (count, 3, px, px).

    Plain noise looks the same to deep layers, whose statistics would then be made of rounding.
    """
    patches = torch.rand(count, 3, 4, 4) * torch.rand(count, 1, 1, 1)
    patches = patches + torch.rand(count, 3, 1, 1) / 2
    images = nn.functional.interpolate(patches, size=(px, px), mode="bicubic")
    images = images + torch.rand(count, 3, px, px) / 10
    low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
    return (images - low) / (high - low)
