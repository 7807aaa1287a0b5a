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

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from numpy.typing import NDArray
from torch import Generator, Tensor

from melanoscope.models.lesion_net import to_images

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as torchvision's and Pillow's grey


@dataclass(frozen=True)
class AugmentationRanges:
    """Ranges that the augmentation's random parameters are sampled from, uniformly.

    Attributes:
        area: Smallest and largest share of the photograph's area that a crop keeps.
        aspect: Largest aspect ratio of a crop (at least 1); the smallest is its inverse.
        degrees: Largest angle of rotation either way.
        brightness: Largest departure from 1 of the factor on it; likewise contrast, saturation.
        hue: Largest shift of the hue either way, in turns of the color circle.
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
    """Random parameters of n photographs: factors, and turns of the hue, of shape (n,).

    Attributes:
        affine: Crop, rotation and flips as one map from output to input, in the photograph's -1..1,
            shape (n, 2, 3).
    """

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor


def sample_augmentation(
    n: int, generator: Generator, ranges: AugmentationRanges | None = None
) -> AugmentationParams:
    """Sample the augmentation of a batch on the CPU, so that it is the same for every device.

    Args:
        n: Number of photographs.
        generator: Random generator on the CPU.
        ranges: Ranges to sample from, the poster's by default.

    Returns:
        The parameters of each photograph.
    """
    s = ranges or AugmentationRanges()

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
        affine=torch.stack([across, down], dim=1),
        brightness=uniform(1 - s.brightness, 1 + s.brightness),
        contrast=uniform(1 - s.contrast, 1 + s.contrast),
        saturation=uniform(1 - s.saturation, 1 + s.saturation),
        hue=uniform(-s.hue, s.hue),
    )


def augment(pixels: Tensor, params: AugmentationParams) -> Tensor:
    """Augment a batch of photographs.

    Args:
        pixels: Photographs, shape (n, h, w, 3), uint8, on the training device.
        params: Random parameters of these n photographs.

    Returns:
        Images, RGB in 0..1, shape (n, 3, h, w), float32, channels last.

    >>> pixels = torch.zeros(2, 32, 32, 3, dtype=torch.uint8)
    >>> augment(pixels, sample_augmentation(2, Generator().manual_seed(0))).shape
    torch.Size([2, 3, 32, 32])
    """
    images = to_images(pixels)
    device = images.device
    grid = F.affine_grid(params.affine.to(device), list(images.shape), align_corners=False)
    warped = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    matrix, factor = color_matrix(params)
    luma = torch.tensor(LUMA, device=device)
    grey = torch.einsum("nchw,c->n", warped, luma) / (warped.shape[2] * warped.shape[3])
    offset = factor.to(device) * grey
    mixed = torch.einsum("nchw,ndc->ndhw", warped, matrix.to(device))
    colored = (mixed + offset.view(-1, 1, 1, 1)).clamp_(0.0, 1.0)
    return colored.contiguous(memory_format=torch.channels_last)


def color_matrix(params: AugmentationParams) -> tuple[Tensor, Tensor]:
    """Return brightness to hue as matrices (n, 3, 3) of RGB, and factors (n,) on the mean grey."""
    # Brightness b, then contrast c about the mean grey, then saturation, then hue as a rotation of
    # the chroma plane of YIQ (above 0 from red to blue). Saturation and hue leave grey alone, so
    # the contrast's offset passes through: color = b c (hue saturation) rgb + b (1 - c) grey.
    n = len(params.hue)
    luma = torch.tensor(LUMA)
    keep = params.saturation.view(n, 1, 1)
    saturation = keep * torch.eye(3) + (1 - keep) * luma.expand(3, 3)
    to_yiq = torch.tensor([LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)])
    angle = 2 * math.pi * params.hue
    turn = torch.zeros(n, 3, 3)
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    hue = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    gain = (params.brightness * params.contrast).view(n, 1, 1)
    return gain * (hue @ saturation), params.brightness * (1 - params.contrast)


def variations(photographs: NDArray[np.uint8], copies: int) -> NDArray[np.uint8]:
    """Augment each photograph several times, always alike: for pictures of the augmentation.

    Args:
        photographs: RGB, shape (n, h, w, 3), uint8.
        copies: Number of augmentations of each, at least 1.

    Returns:
        The augmented photographs, shape (n, copies, h, w, 3), uint8.

    >>> variations(np.zeros((2, 32, 32, 3), np.uint8), 5).shape
    (2, 5, 32, 32, 3)
    """
    repeated = torch.from_numpy(photographs).repeat_interleave(copies, dim=0)
    params = sample_augmentation(len(repeated), Generator().manual_seed(0))
    images = augment(repeated, params).permute(0, 2, 3, 1)
    varied: NDArray[np.uint8] = (images * 255).round().to(torch.uint8).numpy()
    return varied.reshape(len(photographs), copies, *photographs.shape[1:])
