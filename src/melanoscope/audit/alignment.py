"""How alike two images are once one is laid on the other: shift, width and height fitted.

Lucas & Kanade (1981) on small gray images, in the inverse compositional form of Baker & Matthews
(2004), which takes slopes once instead of in each step. What is compared in the end is fine
structure at equal contrast everywhere: else the outline of a dark lesion on plain skin, or the
black frame of a dermoscope, would make strangers alike.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from melanoscope.audit.hash_candidates import (
    CROPS,
    Candidates,
    Floats32,
    GrayImages,
    Indices,
    block_mean,
    orient,
)
from melanoscope.threads import thread_pool

IMAGE_SIZE = 64
"""Side in pixels of the largest images that are compared."""

# Pairs whose images are prepared together at the largest size, and pairs fitted together: an image
# takes 110 KB while it is prepared, a pair 300 KB while it is fitted.
_PAIRS, _CHUNK = 128, 128
# Part of the fitted image that must lie inside the other before anything can be said.
_MIN_OVERLAP = 0.6
# Standard deviations, in pixels: of the blur that is taken away, and of the window of contrast.
_COARSE, _WINDOW = 1.7, 4.0
# Grey levels below which structure counts as noise.
_NOISE = 3.0
# Grey levels of the frame around a dermoscope's round view, whose edge says nothing.
_BLACK = 12.0


# Of pairs made from real photographs hardly one falls below these (benchmarks/near_duplicates.py).
# Side at which pairs are fitted, steps, and the likeness below which they go no further.
_STAGES = ((16, 4, 0.55), (32, 4, 0.5), (IMAGE_SIZE, 3, -1.0))


def align(gray: GrayImages, pairs: Candidates) -> tuple[Floats32, Floats32]:
    """Lay pairs of `gray`, (n, h, h) uint8 of side `IMAGE_SIZE`, on each other and compare them."""
    # Likeness, the correlation of fine structures, -1 to 1, is 0 where small images already
    # differed, where hardly anything overlaps or nothing is to be seen; shape (pairs,). Scale is
    # the width and height of the first image in the second, as parts of it; shape (pairs, 2).
    likeness = np.zeros(len(pairs), np.float32)
    left_top, right_bottom = np.split(np.array(CROPS, np.float32)[pairs.crop], 2, axis=1)
    warp = np.concatenate([1 - left_top - right_bottom, left_top - right_bottom], axis=1)
    remaining = np.arange(len(pairs))
    for image_size, steps, min_likeness in _STAGES:
        if remaining.size:
            warp[remaining], likeness[remaining] = _fit(
                gray, pairs.take(remaining), warp[remaining], image_size, steps
            )
            is_unlike = likeness[remaining] < min_likeness
            likeness[remaining[is_unlike]] = 0
            remaining = remaining[~is_unlike]
    return likeness, warp[:, :2]


def _fit(
    gray: GrayImages, pairs: Candidates, warp: Floats32, image_size: int, steps: int
) -> tuple[Floats32, Floats32]:
    """Refine where each pair's first image lies in its second, and compare them there."""
    # The smaller the images the more pairs at a time, so that memory stays as it is. Pairs come
    # sorted by image, and so an image is hardly ever prepared for more than one block.
    block = _PAIRS * (IMAGE_SIZE // image_size) ** 2

    def fit_block(start: int) -> tuple[Floats32, Floats32]:
        part = slice(start, start + block)
        return _fit_block(gray, pairs.take(part), warp[part], image_size, steps)

    with thread_pool() as pool:
        warps, likeness = zip(*pool.map(fit_block, range(0, len(pairs), block)), strict=True)
    return np.concatenate(warps), np.concatenate(likeness)


def _fit_block(
    gray: GrayImages, pairs: Candidates, warp: Floats32, image_size: int, steps: int
) -> tuple[Floats32, Floats32]:
    rows, place = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    a, b = np.split(place, 2)
    images = block_mean(gray[rows], image_size)
    sigma = image_size / 64
    smooth, fine = gaussian_filter(images, (0, sigma, sigma)), _fine_structure(images)
    fitted, likeness = [], []
    for start in range(0, len(pairs), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        turn, of, on = pairs.orientation[chunk], a[chunk], b[chunk]
        moved = _align(_orient_each(smooth[of], turn), smooth[on], warp[chunk], steps)
        fitted.append(moved)
        likeness.append(_correlate(_orient_each(fine[of], turn), fine[on], moved))
    return np.concatenate(fitted), np.concatenate(likeness)


def _fine_structure(images: Floats32) -> Floats32:
    """Take away what is broad and bring the rest to equal contrast in every neighbourhood."""
    sigma, rim = images.shape[1] / 128, images.shape[1] / 32
    base = gaussian_filter(images, (0, sigma, sigma))
    fine = base - gaussian_filter(base, (0, _COARSE, _COARSE))
    power = gaussian_filter(fine**2, (0, _WINDOW, _WINDOW))
    lit = gaussian_filter((images > _BLACK).astype(np.float32), (0, rim, rim)) > 0.95
    equal: Floats32 = lit * fine / np.sqrt(power + _NOISE**2)
    return equal


def _orient_each(images: Floats32, orientation: Indices) -> Floats32:
    oriented = np.empty_like(images)
    for turn in range(8):
        rows = orientation == turn
        oriented[rows] = orient(images[rows], turn)
    return oriented


def _axis(size: int) -> Floats32:
    """Return the coordinates of `size` pixel centres from -1 to 1."""
    return ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)


def _align(a: Floats32, b: Floats32, warp: Floats32, steps: int) -> Floats32:
    """Fit where in `b` each pixel of `a` lies: width, height, right, down; shape (pairs, 4)."""
    size = a.shape[1]
    axis = _axis(size)
    slope_y, slope_x = (s * (size / 2) for s in np.gradient(a, axis=(1, 2)))
    design = np.stack([slope_x * axis, slope_y * axis[:, None], slope_x, slope_y], axis=1)
    design = design.reshape(len(a), 4, -1)
    normal = design @ design.transpose(0, 2, 1)
    # A little damping: images without structure in one direction fix nothing there.
    normal += np.eye(4, dtype=np.float32) * (
        1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-6
    )
    target = a.reshape(len(a), -1)
    for _ in range(steps):
        sampled, inside = _sample(b, warp)
        residual = _residual(sampled, target, inside)
        step = np.linalg.solve(normal, design @ residual[:, :, None])[..., 0]
        step = np.clip(step, -0.1, 0.1)
        scale = warp[:, :2] / (1 + step[:, :2])
        shift = warp[:, 2:] - scale * step[:, 2:]
        # Beyond this it is no longer a crop of the same image.
        warp = np.concatenate([np.clip(scale, 0.6, 1.6), np.clip(shift, -0.4, 0.4)], axis=1)
    return warp


def _sample(images: Floats32, warp: Floats32) -> tuple[Floats32, Floats32]:
    """Interpolate `images` where `warp` sends each pixel, and mark with 1 which lie inside."""
    # The warp moves columns and rows apart from each other, so two products with weights do it.
    size = images.shape[1]
    across, within_x = _interpolation_weights(size, warp[:, 0], warp[:, 2])
    down, within_y = _interpolation_weights(size, warp[:, 1], warp[:, 3])
    sampled = down @ (images @ across.transpose(0, 2, 1))
    inside = within_y[:, :, None] * within_x[:, None, :]
    return sampled.reshape(len(sampled), -1), inside.reshape(len(sampled), -1)


def _interpolation_weights(
    size: int, scale: Floats32, shift: Floats32
) -> tuple[Floats32, Floats32]:
    """Weigh the source pixels along one axis, shape (n, to, from), and mark with 1 the inside."""
    place = scale[:, None] * _axis(size) + shift[:, None]
    source = np.clip((place + 1) / 2 * size - 0.5, 0, size - 1)
    weights = 1 - np.abs(source[:, :, None] - np.arange(size, dtype=np.float32))
    return np.maximum(weights, 0, out=weights), (np.abs(place) <= 1).astype(np.float32)


def _residual(sampled: Floats32, target: Floats32, inside: Floats32) -> Floats32:
    """Return what one image differs by once it has the other's brightness and contrast."""
    sampled, target, n = _center(sampled, target, inside)
    spread = [np.sqrt(np.einsum("ij,ij->i", p, p) / n) + 1e-3 for p in (sampled, target)]
    residual: Floats32 = sampled * (spread[1] / spread[0])[:, None] - target
    return residual


def _center(
    sampled: Floats32, target: Floats32, inside: Floats32
) -> tuple[Floats32, Floats32, Floats32]:
    """Take both to mean 0 over what both show, and 0 elsewhere; and count what both show."""
    n = np.maximum(inside.sum(axis=1), 1)
    p, q = (
        (image - (np.einsum("ij,ij->i", image, inside) / n)[:, None]) * inside
        for image in (sampled, target)
    )
    return p, q, n


def _correlate(a: Floats32, b: Floats32, warp: Floats32) -> Floats32:
    """Correlate `a` with `b` where `warp` lays it; 0 where too little overlaps."""
    sampled, inside = _sample(b, warp)
    p, q, n = _center(sampled, a.reshape(len(a), -1), inside)
    across, own, other = (np.einsum("ij,ij->i", s, t) for s, t in ((p, q), (p, p), (q, q)))
    length = np.sqrt(own * other)
    correlation = np.divide(across, length, out=np.zeros_like(length), where=length > 1e-3)
    return np.where(n / inside.shape[1] >= _MIN_OVERLAP, correlation, 0).astype(np.float32)
