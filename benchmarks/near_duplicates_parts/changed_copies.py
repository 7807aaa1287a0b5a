"""Copies of photographs, as they are found in archives: re-encoded, resized, cropped, turned."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from melanoscope.imaging.decode import read_image

IMAGE_SIZE = 128
Changes = dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]]
CHANGES: Changes = {
    "re-encoded, quality 50": lambda im, _: jpeg(im, 50),
    "re-encoded, quality 80": lambda im, _: jpeg(im, 80),
    "half the size": lambda im, _: im.resize((80, 80), Image.Resampling.BICUBIC),
    "cropped 2 % a side": lambda im, rng: crop(im, 0.02, rng),
    "cropped 4 % a side": lambda im, rng: crop(im, 0.04, rng),
    "cropped 6 % a side": lambda im, rng: crop(im, 0.06, rng),
    "cropped 8 % a side": lambda im, rng: crop(im, 0.08, rng),
    "turned by 90 degrees": lambda im, _: im.transpose(Image.Transpose.ROTATE_90),
    "turned by 180 degrees": lambda im, _: im.transpose(Image.Transpose.ROTATE_180),
    "mirrored": lambda im, _: im.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter by a tenth": lambda im, _: im.point(lambda v: min(int(v * 1.1), 255)),
    "turned by 270, cropped 4 %, quality 70": lambda im, rng: jpeg(
        crop(im.transpose(Image.Transpose.ROTATE_270), 0.04, rng), 70
    ),
}
# Measured by themselves, so that the kinds above have no more photographs to be mistaken for.
MORE_CHANGES: Changes = {
    "quality 50 to 90, any": lambda im, rng: jpeg(im, int(rng.integers(50, 91))),
    "cropped 2 to 8 % on each side": lambda im, rng: cut_margins(im, rng.uniform(0.02, 0.08, 4)),
    "centre of a 4:3 squashed to a square": lambda im, _: cut_margins(im, (1 / 8, 0, 1 / 8, 0)),
    "centre of a 3:2 squashed to a square": lambda im, _: cut_margins(im, (1 / 6, 0, 1 / 6, 0)),
    "darker by 15 %": lambda im, _: im.point(lambda v: int(v * 0.85)),
    "all at once": lambda im, rng: jpeg(
        cut_margins(
            im.transpose(list(Image.Transpose)[int(rng.integers(0, 7))]).point(
                lambda v: int(v * 0.9)
            ),
            rng.uniform(0.02, 0.08, 4),
        ).resize((96, 96), Image.Resampling.BICUBIC),
        60,
    ),
}


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Compress as JPEG of this quality and decompress."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def crop(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Cut `2 * share` of width and height, unevenly: up to twice the share on one side."""
    width, height = image.size
    cut = [round(2 * share * s) for s in (width, height)]
    left, top = (int(rng.integers(0, c + 1)) for c in cut)
    return image.crop((left, top, left + width - cut[0], top + height - cut[1]))


def cut_margins(image: Image.Image, margins: Any) -> Image.Image:
    """Cut parts of the sides (left, top, right, bottom) and bring the rest to the same size."""
    width, height = image.size
    left, top, right, bottom = margins
    box = (left * width, top * height, width - right * width, height - bottom * height)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def resize(image: Image.Image) -> np.ndarray:
    """Squash to a square of `IMAGE_SIZE`, shape (h, w, 3)."""
    square = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
    return np.asarray(square.convert("RGB"))


def make_copies(
    paths: dict[str, str], ids: list[str], half: dict[str, int], copies: int, kinds: Changes
) -> tuple[list[tuple[str, np.ndarray]], dict[str, tuple[str, str]]]:
    """Make copies, each of another photograph, so that they do not compete.

    Args:
        paths: File of each photograph, by id.
        ids: Ids of all photographs.
        half: Half to which each photograph belongs, 0 or 1, by id.
        copies: Number of copies of each kind and half.
        kinds: Functions that change an image, by name.

    Returns:
        Id and pixels of each copy; and original and kind of each copy, by the copy's id.
    """
    rng = np.random.default_rng(0)
    made, truth = [], {}
    for side in (0, 1):
        pool = [str(n) for n in rng.permutation([n for n in ids if half[n] == side])]
        for k, (kind, change) in enumerate(kinds.items()):
            for name in pool[k * copies : (k + 1) * copies]:
                whole = Image.fromarray(read_image(Path(paths[name]), 160))
                copy = f"copy-{side}-{name}"
                made.append((copy, resize(change(whole, rng))))
                truth[copy] = (name, kind)
    return made, truth
