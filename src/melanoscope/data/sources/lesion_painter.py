"""Paint one simulated lesion as a dermoscopy-like drawing. Says nothing about skin.

What is drawn follows the ABCD criteria (Nachbar et al. 1994, doi:10.1016/S0190-9622(94)70061-3):
asymmetry, border, colour, diameter. The rest of the photograph is `simulated_scene`'s.

A lesion lives in its own plane, whose unit is half the short side of the photograph; a photograph
turns, shifts and scales that plane. So a second photograph shows the same lesion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.data.sources.simulated_scene import (
    BLOOD,
    MELANIN,
    SHORT_SIDE,
    Field,
    Size,
    apply_camera,
    apply_lighting,
    render_skin,
    sample_size,
    smoothstep,
)

Fields = tuple[Field, Field, Field, Field]

# Part of the folder's name: raise it when the files drawn change (pixels, population, compression).
PAINTER_VERSION = 1

_KERATIN = np.array([0.25, 0.5, 1.15], np.float32)  # as `MELANIN`, of the waxy yellow
_ABSORPTION = np.stack([MELANIN, BLOOD, _KERATIN])
_BLUE_GREY = np.array([102, 108, 124], np.float32)
_SCAR = np.array([238, 216, 208], np.float32)
_SPAN = 2.4  # half the side of the square of the lesion's plane that noise covers


@dataclass(frozen=True)
class Traits:
    """What a lesion looks like."""

    asymmetry: float  # 0 (round and even) to 1
    border: float  # irregularity of the outline, 0 to 1
    color: float  # variegation, 0 (one brown) to 1 (black, blue-grey, red and white beside it)
    diameter: float  # share of the photograph's short side, about 0.2 to 0.85
    keratosis: bool = False  # drawn waxy and stuck on, with plugs and cysts


@dataclass(frozen=True)
class _View:
    """The part of the lesion's plane in which the lesion lies, pixel by pixel."""

    size: Size
    matrix: NDArray[np.float64]  # affine map from the view's pixels to the plane, (2, 3)
    x: Field  # place in the plane, (h, w)
    y: Field

    def noise(self, cells: int, rng: np.random.Generator) -> Fields:
        """Return four smooth fields of the plane, each about N(0, 1)."""
        # Pillow interpolates four bands at once; CMYK is the one mode whose four it leaves alone.
        grid = rng.standard_normal((cells, cells, 4), np.float32) * 42 + 127.5
        grid = np.clip(grid, 0, 255).astype(np.uint8)
        image = Image.frombytes("CMYK", (cells, cells), grid.tobytes())
        to_grid = self.matrix * (cells / (2 * _SPAN))
        to_grid[:, 2] += cells / 2
        # Straight lines between far cells would show as creases; between near ones they do not.
        resampling = Image.Resampling.BICUBIC if cells < 100 else Image.Resampling.BILINEAR
        affine = tuple(to_grid.ravel())
        bands = image.transform(self.size, Image.Transform.AFFINE, affine, resampling)
        # Interpolation averages neighbours and so takes a third of the spread away.
        fields = (np.asarray(bands).transpose(2, 0, 1).astype(np.float32) - 127.5) / 28
        return fields[0], fields[1], fields[2], fields[3]


def paint(
    traits: Traits, tone: float, lesion: np.random.Generator, photograph: np.random.Generator
) -> NDArray[np.uint8]:
    """Paint one photograph of a lesion as RGB, (h, w, 3) uint8, of short side `SHORT_SIDE`."""
    # `lesion` is seeded alike for each photograph of it; all around it comes from `photograph`.
    size = sample_size(photograph)
    matrix = _random_view(size, photograph)
    image = render_skin(size, tone, photograph)
    _add_lesion(image, matrix, traits, lesion)
    return apply_camera(apply_lighting(image, photograph), photograph)


def _random_view(size: Size, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the 2 x 3 matrix from pixels to the lesion's plane: angle, distance and centre."""
    angle, zoom = rng.uniform(-np.pi, np.pi), np.exp(rng.normal(0, 0.05))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix *= zoom / (SHORT_SIDE / 2)
    center = np.array(size) / 2 + np.clip(rng.normal(0, 6, 2), -14, 14)
    return np.column_stack([matrix, -matrix @ center])


def _add_lesion(
    image: Field, matrix: NDArray[np.float64], traits: Traits, rng: np.random.Generator
) -> None:
    """Paint the lesion into `image`, a photograph of skin, at the place that `matrix` says."""
    angle, radius = _outline(traits, rng)
    stretch = float(np.exp(rng.normal(0, 0.08)))
    # Beyond it the softest edge has ended; noise moves the edge by a tenth or so.
    reach = 1.3 * traits.diameter * float(radius.max()) * max(stretch, 1 / stretch)
    view, place = _crop(image, matrix, reach)
    coarse, medium, fine = (view.noise(cells, rng) for cells in (20, 44, 110))

    x, y = view.x / np.float32(stretch), view.y * np.float32(stretch)
    around = np.interp(np.arctan2(y, x), angle, radius).astype(np.float32)
    depth = 1 - np.hypot(x, y) / (np.float32(traits.diameter) * around)
    depth += np.float32(0.015 + 0.05 * traits.border) * medium[0]
    inside = smoothstep(depth + 0.1, 0.0, _softness(traits, coarse[0], rng))

    image[place] = _blend_pigments(
        image[place], view, depth, inside, (coarse, medium, fine), traits, rng
    )


def _blend_pigments(
    skin: Field,
    view: _View,
    depth: Field,
    inside: Field,
    noise: tuple[Fields, Fields, Fields],
    traits: Traits,
    rng: np.random.Generator,
) -> Field:
    """Return the skin with the lesion's pigments in it and its pale veils over it."""
    coarse, medium, fine = noise
    melanin = _melanin(view, depth, coarse, fine[0], traits, rng)
    # One amount each for black, red, blue-grey and white; chance decides which come first.
    amounts = np.clip(1.5 * traits.color - rng.uniform(0.15, 1.15, 4), 0, 1)
    black, red, blue, white = (
        np.float32(min(1.0, 2.5 * amount)) * smoothstep(field, 1.1 - 1.3 * float(amount), 1.6)
        for amount, field in zip(
            amounts, (medium[1], coarse[3], coarse[2], -coarse[1]), strict=True
        )
    )
    keratin = np.zeros_like(depth)
    if traits.keratosis:
        keratin = 0.3 + 0.12 * medium[3]
        melanin = melanin + 0.7 * smoothstep(medium[2], 1.3, 0.5)  # plugs
        white = np.maximum(white, 0.6 * smoothstep(fine[3], 2.2, 0.5))  # cysts
    pigments = np.stack([melanin + 1.1 * black, 0.75 * red, keratin], axis=-1)
    light = skin.mean(axis=2, keepdims=True) / 190
    painted: Field = skin * np.exp(-(inside[..., None] * pigments) @ _ABSORPTION)
    # Both veils take up the light of the skin round them, so that none glows on dark skin.
    painted += ((0.65 + 0.08 * fine[1]) * inside * blue)[..., None] * (
        _BLUE_GREY * light**0.7 - painted
    )
    painted += (0.6 * inside * white)[..., None] * (_SCAR * light**0.8 - painted)
    return painted


def _crop(
    image: Field, matrix: NDArray[np.float64], reach: float
) -> tuple[_View, tuple[slice, slice]]:
    """Return the part of a photograph within `reach` of the lesion's centre; the rest is skin."""
    linear, offset = matrix[:, :2], matrix[:, 2]
    center = np.linalg.solve(linear, -offset)
    far = reach / np.sqrt(np.linalg.det(linear))
    limits = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(center - far), 0, limits).astype(int)
    high = np.clip(np.ceil(center + far), 0, limits).astype(int)
    moved = np.column_stack([linear, offset + linear @ low])
    column = np.arange(high[0] - low[0], dtype=np.float32)[None] + 0.5
    row = np.arange(high[1] - low[1], dtype=np.float32)[:, None] + 0.5
    x, y = (a * column + b * row + c for a, b, c in moved.astype(np.float32))
    view = _View((column.size, row.size), moved, x, y)
    return view, (slice(low[1], high[1]), slice(low[0], high[0]))


def _outline(traits: Traits, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return angles and the radius there, of mean 1: low waves by asymmetry, high by border."""
    angle = np.linspace(-np.pi, np.pi, 257, dtype=np.float32)
    waves = np.arange(1, 17)
    border = traits.border * (0.5 if traits.keratosis else 1.0)
    low = 0.02 + 0.17 * traits.asymmetry / np.sqrt(waves)
    high = 0.004 + 0.12 * border / waves**0.7
    amplitude = np.where(waves <= 3, low, high) * rng.rayleigh(0.7, len(waves))
    phase = rng.uniform(0, 2 * np.pi, len(waves))
    radius = 1 + amplitude @ np.cos(waves[:, None] * angle + phase[:, None])
    return angle, np.maximum(radius, 0.35).astype(np.float32)


def _softness(traits: Traits, noise: Field, rng: np.random.Generator) -> Field:
    """Return the width of the edge: a nevus fades out, an irregular border breaks off in places."""
    if traits.keratosis:
        return np.full_like(noise, 0.08)
    ragged = float(np.clip(traits.border + rng.normal(0, 0.15), 0, 1))
    soft: Field = np.clip(0.26 - 0.1 * ragged + 0.1 * ragged * noise, 0.06, 0.5)
    return soft


def _melanin(
    view: _View,
    depth: Field,
    coarse: Fields,
    fine: Field,
    traits: Traits,
    rng: np.random.Generator,
) -> Field:
    """Return the density of melanin: a base, a slope to one side, patches, and a network."""
    base, turn = np.float32(rng.uniform(0.45, 1.05)), np.float32(rng.uniform(0, 2 * np.pi))
    aslant = (np.cos(turn) * view.x + np.sin(turn) * view.y) / np.float32(traits.diameter)
    center = np.float32(rng.normal(0.2, 0.2)) * np.clip(depth, 0, 1)
    patches = np.float32(0.05 + 0.2 * traits.color) * coarse[1] + 0.07 * fine
    # Three plane waves make the honeycomb of the ridges; noise bends it where it is atypical.
    bend = np.float32(0.4 + 1.3 * traits.border)
    u, v = 66 * view.x + bend * coarse[2], 66 * view.y + bend * coarse[3]
    comb = np.cos(u) + np.cos(0.5 * u + 0.866 * v) + np.cos(0.5 * u - 0.866 * v)
    strength = np.float32(rng.uniform(0, 0.1) * (0.3 if traits.keratosis else 1.0))
    slope = np.float32(0.5 * traits.asymmetry) * aslant
    density: Field = base * (1 + slope + center + patches - strength * comb)
    return np.maximum(density, 0.08)
