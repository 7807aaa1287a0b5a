"""The poster's augmentation, on the training device, a whole batch at a time.

Random resized crop (0.7 to 1.0 of the area), rotation to 90 degrees either way, both flips and
resizing are one affine map, so each photograph is resampled once. Brightness, contrast, saturation
and hue are linear in RGB up to the final clip, so they are one 3 x 3 matrix and an offset.

Where torchvision would fill the corners of a rotated photograph with black, the photograph is
mirrored at its edge: a black corner would tell the angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from torch import Generator, Tensor

from melanoscope.models.lesion_net import to_images

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as torchvision's and Pillow's grey


@dataclass(frozen=True)
class AugmentationRanges:
    """Ranges the augmentation draws from.

    Attributes:
        area: Smallest and largest part of the photograph's area that a crop keeps.
        aspect: Largest aspect ratio of a crop; the smallest is its inverse.
        degrees: Largest angle either way.
        brightness: Factor 1 - b to 1 + b; likewise contrast and saturation.
        contrast: See brightness.
        saturation: See brightness.
        hue: Largest turn of the colour circle either way, in turns.
    """

    area: tuple[float, float] = (0.7, 1.0)
    aspect: float = 4 / 3
    degrees: float = 90.0
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.02


@dataclass(frozen=True)
class AugmentationParams:
    """What was drawn for a batch of n photographs: `affine` (n, 2, 3), the others (n,)."""

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor


def sample_augmentation(
    n: int, generator: Generator, strengths: AugmentationRanges | None = None
) -> AugmentationParams:
    """Draw the augmentation of n photographs on the CPU, the same for every training device."""
    s = strengths or AugmentationRanges()

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(n).uniform_(low, high, generator=generator)

    area = uniform(*s.area)
    ratio = uniform(-math.log(s.aspect), math.log(s.aspect)).exp().sqrt()
    # Half width and half height of the crop in the photograph's -1..1, never beyond its edge.
    wide = (area.sqrt() * ratio).clamp(max=1.0)
    high = (area.sqrt() / ratio).clamp(max=1.0)
    left = uniform(-1, 1) * (1 - wide)
    top = uniform(-1, 1) * (1 - high)
    angle = uniform(-math.radians(s.degrees), math.radians(s.degrees))
    flips = torch.randint(0, 2, (2, n), generator=generator) * 2.0 - 1.0
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([wide * cos * flips[0], -wide * sin * flips[1], left], dim=1)
    down = torch.stack([high * sin * flips[0], high * cos * flips[1], top], dim=1)
    return AugmentationParams(
        torch.stack([across, down], dim=1),
        uniform(1 - s.brightness, 1 + s.brightness),
        uniform(1 - s.contrast, 1 + s.contrast),
        uniform(1 - s.saturation, 1 + s.saturation),
        uniform(-s.hue, s.hue),
    )


def augment(pixels: Tensor, drawn: AugmentationParams) -> Tensor:
    """Apply a draw.

    Args:
        pixels: Shape (n, h, w, 3), uint8, on the training device.
        drawn: Of n photographs.

    Returns:
        RGB in 0..1, shape (n, 3, h, w), float32, channels last.
    """
    images = to_images(pixels)
    device = images.device
    grid = F.affine_grid(drawn.affine.to(device), list(images.shape), align_corners=False)
    warped = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    matrix, factor = colour_matrix(drawn)
    luma = torch.tensor(LUMA, device=device)
    grey = torch.einsum("nchw,c->n", warped, luma) / (warped.shape[2] * warped.shape[3])
    offset = factor.to(device) * grey
    mixed = torch.einsum("nchw,ndc->ndhw", warped, matrix.to(device))
    coloured = (mixed + offset.view(-1, 1, 1, 1)).clamp_(0.0, 1.0)
    return coloured.contiguous(memory_format=torch.channels_last)


def colour_matrix(drawn: AugmentationParams) -> tuple[Tensor, Tensor]:
    """Return the colour shift as a matrix (n, 3, 3) and the offset's factor on mean grey (n,).

    Brightness b, then contrast c about the mean grey, then saturation, then hue as a rotation of
    the chroma plane of YIQ (above 0 from red to blue). Saturation and hue leave grey alone, so the
    contrast's offset passes through them: colour = b c (hue saturation) rgb + b (1 - c) grey.
    """
    n = len(drawn.hue)
    luma = torch.tensor(LUMA)
    keep = drawn.saturation.view(n, 1, 1)
    saturation = keep * torch.eye(3) + (1 - keep) * luma.expand(3, 3)
    to_yiq = torch.tensor([LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)])
    angle = 2 * math.pi * drawn.hue
    turn = torch.zeros(n, 3, 3)
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    hue = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    gain = (drawn.brightness * drawn.contrast).view(n, 1, 1)
    return gain * (hue @ saturation), drawn.brightness * (1 - drawn.contrast)
