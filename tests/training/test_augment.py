from __future__ import annotations

import math

import pytest
import torch
from torchvision.transforms import v2 as transforms
from torchvision.transforms.v2 import functional as oracle

from melanoscope.models.lesion_net import to_images
from melanoscope.training.augment import (
    AugmentationParams,
    AugmentationRanges,
    augment,
    color_matrix,
    sample_augmentation,
)


def nothing(n: int) -> AugmentationParams:
    """A draw that changes nothing."""
    ones = torch.ones(n)
    affine = torch.eye(2, 3).expand(n, 2, 3).clone()
    return AugmentationParams(affine, ones.clone(), ones.clone(), ones.clone(), torch.zeros(n))


def turned(degrees: float) -> torch.Tensor:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randint(0, 256, (3, 16, 16, 3), generator=torch.Generator().manual_seed(0)).byte()


@pytest.fixture
def dull(pixels: torch.Tensor) -> torch.Tensor:
    """Photographs whose colours no shift below drives out of range."""
    return (96 + pixels // 4).byte()


def test_a_draw_of_nothing_changes_nothing(pixels: torch.Tensor) -> None:
    torch.testing.assert_close(augment(pixels, nothing(3)), to_images(pixels), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (-90, -1), (180, 2)])
def test_right_angles_against_rot90(pixels: torch.Tensor, degrees: float, turns: int) -> None:
    drawn = nothing(3)
    drawn.affine[:] = turned(degrees)
    expected = torch.rot90(to_images(pixels), turns, (2, 3))
    torch.testing.assert_close(augment(pixels, drawn), expected, atol=1e-4, rtol=0)


def test_flips(pixels: torch.Tensor) -> None:
    drawn = nothing(3)
    drawn.affine[:, 0, 0] = -1.0
    expected = to_images(pixels).flip(3)
    torch.testing.assert_close(augment(pixels, drawn), expected, atol=1e-4, rtol=0)


def test_crop_of_the_upper_left_quarter(pixels: torch.Tensor) -> None:
    drawn = nothing(3)
    drawn.affine[:] = torch.tensor([[0.5, 0.0, -0.5], [0.0, 0.5, -0.5]])
    quarter = to_images(pixels)[:, :, :8, :8]
    expected = torch.nn.functional.interpolate(quarter, 16, mode="bilinear", align_corners=False)
    inside = slice(2, 12)  # the oracle does not see beyond the quarter's edge
    torch.testing.assert_close(
        augment(pixels, drawn)[:, :, inside, inside], expected[:, :, inside, inside]
    )


@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("kind", ["brightness", "contrast", "saturation"])
def test_colours_against_torchvision(dull: torch.Tensor, kind: str, factor: float) -> None:
    drawn = nothing(3)
    getattr(drawn, kind)[:] = factor
    expected = getattr(oracle, f"adjust_{kind}")(to_images(dull), factor)
    torch.testing.assert_close(augment(dull, drawn), expected, atol=2e-3, rtol=0)


def test_hue_turns_as_torchvisions_and_leaves_grey_alone(dull: torch.Tensor) -> None:
    drawn = nothing(3)
    drawn.hue[:] = 0.02
    matrix, _ = color_matrix(drawn)
    torch.testing.assert_close(matrix.sum(dim=2), torch.ones(3, 3), atol=1e-3, rtol=0)
    # YIQ and HSV circles differ in radius; and ours turns from red to blue, theirs to yellow.
    red = torch.full((1, 4, 4, 3), 128, dtype=torch.uint8)
    red[..., 0] = 180
    one = nothing(1)
    one.hue[:] = 0.02
    ours = augment(red, one)[0, :, 0, 0] - to_images(red)[0, :, 0, 0]
    theirs = oracle.adjust_hue(to_images(red), -0.02)[0, :, 0, 0] - to_images(red)[0, :, 0, 0]
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.5


def test_draws_stay_within_their_ranges() -> None:
    ranges = AugmentationRanges()
    drawn = sample_augmentation(4000, torch.Generator().manual_seed(1), ranges)
    area = torch.linalg.det(drawn.affine[:, :, :2]).abs()
    assert area.max() <= 1.0 + 1e-6
    assert 0.6 < area.min() < 0.75  # a long crop that would not fit is cut at the edge
    # The crop's frame never leaves the photograph: |offset| + half side <= 1.
    wide = drawn.affine[:, 0, :2].norm(dim=1) + drawn.affine[:, 0, 2].abs()
    high = drawn.affine[:, 1, :2].norm(dim=1) + drawn.affine[:, 1, 2].abs()
    assert max(wide.max(), high.max()) <= 1 + 1e-5
    for part, span in ((drawn.brightness, ranges.brightness), (drawn.hue, ranges.hue)):
        middle = 0.0 if part is drawn.hue else 1.0
        assert (part - middle).abs().max() <= span
        assert (part - middle).abs().max() > 0.9 * span
    mirrored = torch.linalg.det(drawn.affine[:, :, :2]) < 0
    assert 0.45 < mirrored.float().mean() < 0.55


def test_output_is_in_range_and_channels_last(pixels: torch.Tensor) -> None:
    out = augment(
        pixels,
        sample_augmentation(
            3, torch.Generator().manual_seed(2), AugmentationRanges(brightness=0.9)
        ),
    )
    assert out.shape == (3, 3, 16, 16)
    assert out.min() >= 0
    assert out.max() <= 1
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_one_seed_one_augmentation(pixels: torch.Tensor) -> None:
    first, again, other = (
        augment(pixels, sample_augmentation(3, torch.Generator().manual_seed(seed)))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_each_photograph_gets_its_own_draw(pixels: torch.Tensor) -> None:
    same = pixels[:1].expand(2, -1, -1, -1).contiguous()
    out = augment(same, sample_augmentation(2, torch.Generator().manual_seed(5)))
    assert not torch.equal(out[0], out[1])


def test_torchvision_has_no_batch_form() -> None:
    """Why this module exists: torchvision draws once for a whole batch."""
    batch = torch.rand(1, 3, 8, 8).expand(4, -1, -1, -1)
    varied = transforms.RandomRotation(90)(batch)
    assert torch.equal(varied[0], varied[3])
