"""How alike two photographs are once one is laid on the other: shift, width and height fitted.

Lucas & Kanade (1981) on small grey pictures, in the inverse compositional form of Baker & Matthews
(2004), which takes slopes once instead of in each step. What is compared in the end is fine
structure at equal contrast everywhere: else the outline of a dark lesion on plain skin, or the
black frame of a dermoscope, would make strangers alike.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from melanoscope.audit.hash_candidates import CROPS, Candidates, Floats32, Grey, oriented

SIDE = 64
_CHUNK = 500
# Part of the fitted picture that must lie inside the other before anything can be said.
_LEAST_OVERLAP = 0.6
# Standard deviations, in pixels: of the blur that is taken away, and of the window of contrast.
_COARSE, _WINDOW = 1.7, 4.0
# Grey levels below which structure counts as noise.
_NOISE = 3.0
# Grey levels of the frame around a dermoscope's round view, whose edge says nothing.
_BLACK = 12.0


@dataclass(frozen=True)
class _Stage:
    """A size at which pairs are fitted; those less alike than `least` go no further."""

    side: int
    steps: int
    least: float


# Of pairs made from real photographs hardly one falls below these (benchmarks/near_duplicates.py).
_STAGES = (_Stage(16, 4, 0.55), _Stage(32, 4, 0.5), _Stage(SIDE, 3, -1.0))


@dataclass(frozen=True, eq=False)
class _Level:
    """Pictures at one size: smooth ones to be laid on each other, fine ones to be compared."""

    smooth: Floats32
    fine: Floats32

    @staticmethod
    def of(grey: Grey, side: int) -> _Level:
        pictures = _shrunk(grey, side)
        sigma = side / 64
        return _Level(gaussian_filter(pictures, (0, sigma, sigma)), _fine(pictures))


@dataclass(frozen=True, eq=False)
class Alignment:
    """How pairs lie on each other.

    Attributes:
        likeness: Correlation of their fine structures, -1..1, shape (n,); 0 where small pictures
            already differed, where hardly anything overlaps or nothing is to be seen.
        scale: Width and height of the first picture in the second, as parts of it, shape (n, 2).
    """

    likeness: Floats32
    scale: Floats32


def align(grey: Grey, pairs: Candidates) -> Alignment:
    """Lay the pictures of each pair on each other and compare their fine structures.

    Args:
        grey: Photographs, shape (n, `SIDE`, `SIDE`), uint8.
        pairs: Which to compare, and in which orientation and crop to begin.
    """
    alike = np.zeros(len(pairs), np.float32)
    left_top, right_bottom = np.split(np.array(CROPS, np.float32)[pairs.crop], 2, axis=1)
    warp = np.concatenate([1 - left_top - right_bottom, left_top - right_bottom], axis=1)
    left = np.arange(len(pairs))
    for stage in _STAGES:
        if left.size:
            warp[left], alike[left] = _fitted(grey, pairs.where(left), warp[left], stage)
            bad = alike[left] < stage.least
            alike[left[bad]] = 0
            left = left[~bad]
    return Alignment(alike, warp[:, :2])


def _fitted(
    grey: Grey, pairs: Candidates, warp: Floats32, stage: _Stage
) -> tuple[Floats32, Floats32]:
    """Refine where each pair's first picture lies in its second, and compare them there."""
    rows, place = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    a, b = np.split(place, 2)
    level = _Level.of(grey[rows], stage.side)

    def chunk(start: int) -> tuple[Floats32, Floats32]:
        mine = slice(start, start + _CHUNK)
        turn, of, on = pairs.orientation[mine], a[mine], b[mine]
        new = _align(_turned(level.smooth[of], turn), level.smooth[on], warp[mine], stage.steps)
        return new, _correlate(_turned(level.fine[of], turn), level.fine[on], new)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        warps, alike = zip(*pool.map(chunk, range(0, len(pairs), _CHUNK)), strict=True)
    return np.concatenate(warps), np.concatenate(alike)


def _shrunk(pictures: Grey, side: int) -> Floats32:
    step = pictures.shape[1] // side
    blocks = pictures.reshape(-1, side, step, side, step)
    shrunk: Floats32 = blocks.mean(axis=(2, 4), dtype=np.float32)
    return shrunk


def _fine(pictures: Floats32) -> Floats32:
    """Take away what is broad and bring the rest to equal contrast in every neighbourhood."""
    sigma, rim = pictures.shape[1] / 128, pictures.shape[1] / 32
    base = gaussian_filter(pictures, (0, sigma, sigma))
    fine = base - gaussian_filter(base, (0, _COARSE, _COARSE))
    power = gaussian_filter(fine**2, (0, _WINDOW, _WINDOW))
    lit = gaussian_filter((pictures > _BLACK).astype(np.float32), (0, rim, rim)) > 0.95
    equal: Floats32 = lit * fine / np.sqrt(power + _NOISE**2)
    return equal


def _turned(pictures: Floats32, orientation: NDArray[np.int64]) -> Floats32:
    turned = np.empty_like(pictures)
    for one in range(8):
        mine = orientation == one
        turned[mine] = oriented(pictures[mine], one)
    return turned


def _axis(side: int) -> Floats32:
    """Coordinates of pixel centres from -1 to 1."""
    axis: Floats32 = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    return axis


def _align(a: Floats32, b: Floats32, warp: Floats32, steps: int) -> Floats32:
    """Fit where in b each pixel of a lies: columns width, height, right, down; shape (n, 4)."""
    side = a.shape[1]
    axis = _axis(side)
    slope_y, slope_x = (s * (side / 2) for s in np.gradient(a, axis=(1, 2)))
    design = np.stack([slope_x * axis, slope_y * axis[:, None], slope_x, slope_y], axis=1)
    design = design.reshape(len(a), 4, -1)
    normal = design @ design.transpose(0, 2, 1)
    # A little damping: pictures without structure in one direction fix nothing there.
    normal += np.eye(4, dtype=np.float32) * (
        1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-6
    )
    target = a.reshape(len(a), -1)
    for _ in range(steps):
        seen, inside = _sampled(b, warp)
        residual = _residual(seen, target, inside)
        step = np.linalg.solve(normal, design @ residual[:, :, None])[..., 0]
        step = np.clip(step, -0.1, 0.1)
        scale = warp[:, :2] / (1 + step[:, :2])
        shift = warp[:, 2:] - scale * step[:, 2:]
        # Beyond this it is no longer a crop of the same picture.
        warp = np.concatenate([np.clip(scale, 0.6, 1.6), np.clip(shift, -0.4, 0.4)], axis=1)
    return warp


def _sampled(pictures: Floats32, warp: Floats32) -> tuple[Floats32, Floats32]:
    """Bilinear values where a warp sends each pixel, shape (n, side * side); 1 where it is inside.

    The warp moves columns and rows apart from each other, so that two products with the weights of
    interpolation do it.
    """
    side = pictures.shape[1]
    across, within_x = _weights(side, warp[:, 0], warp[:, 2])
    down, within_y = _weights(side, warp[:, 1], warp[:, 3])
    seen = down @ (pictures @ across.transpose(0, 2, 1))
    inside = within_y[:, :, None] * within_x[:, None, :]
    return seen.reshape(len(seen), -1), inside.reshape(len(seen), -1)


def _weights(side: int, scale: Floats32, shift: Floats32) -> tuple[Floats32, Floats32]:
    """Weights of the source pixels along one axis, shape (n, to, from), and 1 where inside."""
    place = scale[:, None] * _axis(side) + shift[:, None]
    source = np.clip((place + 1) / 2 * side - 0.5, 0, side - 1)
    weights = 1 - np.abs(source[:, :, None] - np.arange(side, dtype=np.float32))
    return np.maximum(weights, 0, out=weights), (np.abs(place) <= 1).astype(np.float32)


def _residual(seen: Floats32, target: Floats32, inside: Floats32) -> Floats32:
    """What one picture differs by once it has the other's brightness and contrast."""
    seen, target, n = _centred(seen, target, inside)
    spread = [np.sqrt(np.einsum("ij,ij->i", p, p) / n) + 1e-3 for p in (seen, target)]
    residual: Floats32 = seen * (spread[1] / spread[0])[:, None] - target
    return residual


def _centred(
    seen: Floats32, target: Floats32, inside: Floats32
) -> tuple[Floats32, Floats32, Floats32]:
    """Take both to mean 0 over what both show, and 0 elsewhere; and count what both show."""
    n = np.maximum(inside.sum(axis=1), 1)
    p, q = ((s - (np.einsum("ij,ij->i", s, inside) / n)[:, None]) * inside for s in (seen, target))
    return p, q, n


def _correlate(a: Floats32, b: Floats32, warp: Floats32) -> Floats32:
    seen, inside = _sampled(b, warp)
    p, q, n = _centred(seen, a.reshape(len(a), -1), inside)
    across, own, other = (np.einsum("ij,ij->i", s, t) for s, t in ((p, q), (p, p), (q, q)))
    length = np.sqrt(own * other)
    alike = np.divide(across, length, out=np.zeros_like(length), where=length > 1e-3)
    return np.where(n / inside.shape[1] >= _LEAST_OVERLAP, alike, 0).astype(np.float32)
