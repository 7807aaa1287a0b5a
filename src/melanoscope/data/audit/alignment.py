"""How alike two photographs are once one is laid on the other: shift, width and height fitted.

Lucas & Kanade (1981) on small grey pictures, all pairs at once, in the inverse compositional form
of Baker & Matthews (2004), which takes slopes once instead of in each step. What is compared in the
end are the fine structures, not the blot in the middle that all lesions share.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from melanoscope.data.audit.candidates import CROPS, Candidates, Floats32, oriented

SIDE = 64
_COARSE_SIDE, _COARSE_STEPS, _FINE_STEPS = 32, 6, 5
# Pairs less alike than this after the coarse fit are not fitted finely.
_PROMISING = 0.3
_CHUNK = 1000
# Part of the fitted picture that must lie inside the other before anything can be said.
_LEAST_OVERLAP = 0.6
# Standard deviation of the blur that is taken away before comparing, as a part of the side.
_BLUR = 0.04


@dataclass(frozen=True, eq=False)
class _Level:
    """Pictures at one size: smoothed for the fit, and their fine structures for the comparison."""

    smooth: Floats32
    fine: Floats32

    @staticmethod
    def of(grey: Floats32) -> _Level:
        side = grey.shape[1]
        smooth = gaussian_filter(grey, (0, side / 64, side / 64))
        return _Level(smooth, grey - gaussian_filter(grey, (0, _BLUR * side, _BLUR * side)))


def likeness(grey: Floats32, pairs: Candidates) -> Floats32:
    """Correlate the fine structures of each pair after alignment.

    Args:
        grey: Photographs, shape (n, `SIDE`, `SIDE`).
        pairs: Which to compare, and in which orientation and crop to begin.

    Returns:
        Shape (len(pairs),), -1..1; 0 where hardly anything overlaps or nothing is to be seen.
    """
    n, half = len(grey), SIDE // _COARSE_SIDE
    small = grey.reshape(n, _COARSE_SIDE, half, _COARSE_SIDE, half).mean(axis=(2, 4))
    coarse, fine = _Level.of(small), _Level.of(grey)
    starts = range(0, len(pairs), _CHUNK)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(lambda s: _compared(coarse, fine, pairs.part(s, s + _CHUNK)), starts)
        return np.concatenate([np.zeros(0, np.float32), *parts])


def _compared(coarse: _Level, fine: _Level, pairs: Candidates) -> Floats32:
    warp = np.zeros((len(pairs), 4), np.float32)
    warp[:, :2] = 1 - 2 * np.array(CROPS, np.float32)[pairs.crop]
    warp, alike = _fitted(coarse, pairs, warp, _COARSE_STEPS)
    good = np.flatnonzero(alike >= _PROMISING)
    if good.size:
        alike[good] = _fitted(fine, pairs.where(good), warp[good], _FINE_STEPS)[1]
    return alike


def _fitted(
    level: _Level, pairs: Candidates, warp: Floats32, steps: int
) -> tuple[Floats32, Floats32]:
    """Refine where each pair's first picture lies in its second, and compare them there."""
    warp = _align(
        _turned(level.smooth[pairs.a], pairs.orientation), level.smooth[pairs.b], warp, steps
    )
    turned = _turned(level.fine[pairs.a], pairs.orientation)
    return warp, _correlate(turned, level.fine[pairs.b], warp)


def _turned(pictures: Floats32, orientation: NDArray[np.int64]) -> Floats32:
    turned = np.empty_like(pictures)
    for one in range(8):
        mine = orientation == one
        turned[mine] = oriented(pictures[mine], one)
    return turned


def _grid(side: int) -> tuple[Floats32, Floats32]:
    """Coordinates of pixel centres from -1 to 1, flat."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    y, x = np.broadcast_arrays(axis[:, None], axis[None])
    return x.ravel(), y.ravel()


def _align(a: Floats32, b: Floats32, warp: Floats32, steps: int) -> Floats32:
    """Fit where in b each pixel of a lies: columns width, height, right, down; shape (n, 4)."""
    side = a.shape[1]
    x, y = _grid(side)
    slope_y, slope_x = (s.reshape(len(a), -1) * (side / 2) for s in np.gradient(a, axis=(1, 2)))
    design = np.stack([slope_x * x, slope_y * y, slope_x, slope_y], axis=1)
    normal = design @ design.transpose(0, 2, 1)
    # A little damping: pictures without structure in one direction fix nothing there.
    normal += np.eye(4, dtype=np.float32) * (
        1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-6
    )
    solved = np.linalg.solve(normal, design)
    target = a.reshape(len(a), -1)
    for _ in range(steps):
        seen, inside = _sampled(b, *_placed(warp, x, y))
        residual = (_matched(seen, target, inside) - target) * inside
        step = np.clip((solved @ residual[:, :, None])[..., 0], -0.1, 0.1)
        scale = warp[:, :2] / (1 + step[:, :2])
        shift = warp[:, 2:] - scale * step[:, 2:]
        # Beyond this it is no longer a crop of the same picture.
        warp = np.concatenate([np.clip(scale, 0.6, 1.6), np.clip(shift, -0.4, 0.4)], axis=1)
    return warp


def _placed(warp: Floats32, x: Floats32, y: Floats32) -> tuple[Floats32, Floats32]:
    return warp[:, :1] * x + warp[:, 2:3], warp[:, 1:2] * y + warp[:, 3:]


def _sampled(pictures: Floats32, u: Floats32, v: Floats32) -> tuple[Floats32, Floats32]:
    """Bilinear values at coordinates -1..1, shape (n, places), and 1 where they lie inside."""
    side = pictures.shape[1]
    column, line = (u + 1) / 2 * side - 0.5, (v + 1) / 2 * side - 0.5
    inside = ((np.abs(u) <= 1) & (np.abs(v) <= 1)).astype(np.float32)
    column, line = np.clip(column, 0, side - 1.001), np.clip(line, 0, side - 1.001)
    left, top = column.astype(np.int32), line.astype(np.int32)
    right_share, lower_share = column - left, line - top
    flat = pictures.reshape(len(pictures), -1)
    place = top * side + left
    corners = [np.take_along_axis(flat, place + d, axis=1) for d in (0, 1, side, side + 1)]
    upper = corners[0] + right_share * (corners[1] - corners[0])
    lower = corners[2] + right_share * (corners[3] - corners[2])
    return upper + lower_share * (lower - upper), inside


def _matched(seen: Floats32, target: Floats32, inside: Floats32) -> Floats32:
    """Bring brightness and contrast of one picture to the other's, over what both show."""
    n = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    means = [(p * inside).sum(axis=1, keepdims=True) / n for p in (seen, target)]
    spreads = [
        np.sqrt((((p - m) * inside) ** 2).sum(axis=1, keepdims=True) / n) + 1e-3
        for p, m in zip((seen, target), means, strict=True)
    ]
    matched: Floats32 = (seen - means[0]) * (spreads[1] / spreads[0]) + means[1]
    return matched


def _correlate(a: Floats32, b: Floats32, warp: Floats32) -> Floats32:
    seen, inside = _sampled(b, *_placed(warp, *_grid(a.shape[1])))
    target = a.reshape(len(a), -1)
    n = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    p, q = ((s - (s * inside).sum(axis=1, keepdims=True) / n) * inside for s in (target, seen))
    length = np.sqrt((p**2).sum(axis=1) * (q**2).sum(axis=1))
    alike = np.divide((p * q).sum(axis=1), length, out=np.zeros_like(length), where=length > 1e-3)
    return np.where(inside.mean(axis=1) >= _LEAST_OVERLAP, alike, 0).astype(np.float32)
