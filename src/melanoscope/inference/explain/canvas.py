"""Text, bars and layout as arrays of pixels: each is as tall as what it holds.

So nothing can be cut off, however long it is. The font is the one that Pillow ships: no system
font is looked for, and a sheet looks the same on every machine.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melanoscope.inference.explain.colormap import INK, MUTED, PAPER
from melanoscope.inference.text.phrases import literal

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

TEXT = 17
"""Size of plain text in pixels."""
# Letters reach beyond their own width, by a pixel or two at these sizes.
_OVERHANG = 3


def text(
    words: str, width: int, *, size: int = TEXT, colour: Colour = INK, align: str = "left"
) -> Picture:
    """Set text in as many lines as it needs.

    Args:
        words: One paragraph; what the font cannot show becomes its plain letter or "?".
        width: In pixels; longer words are broken.
        size: Of the font.
        colour: Of the letters.
        align: "left", "middle" or "right".

    Returns:
        RGB of shape (height, width, 3).
    """
    from PIL import Image, ImageDraw

    font = _font(size)
    lines = _lines(_showable(words), font, width - 2 * _OVERHANG)
    step = round(1.3 * size)
    image = Image.new("RGB", (width, step * len(lines) + round(0.15 * size)), PAPER)
    pen = ImageDraw.Draw(image)
    places = {"left": ("ls", _OVERHANG), "middle": ("ms", width // 2)}
    anchor, x = places.get(align, ("rs", width - _OVERHANG))
    for row, line in enumerate(lines):
        pen.text((x, row * step + size), line, fill=colour, font=font, anchor=anchor)
    return np.asarray(image)


def bar(value: float, scale: float, width: int, height: int, colour: Colour) -> Picture:
    """Draw a bar from the middle: to the right where `value` is above 0, to the left below.

    Args:
        value: What is drawn.
        scale: Value, above 0, whose bar reaches the border.
        width: Of the whole, in pixels.
        height: Likewise.
        colour: Of the bar.

    Returns:
        RGB of shape (height, width, 3).
    """
    picture = space(width, height)
    middle = width // 2
    length = round(abs(value) / scale * ((width - 1) // 2))
    start = middle + 1 if value > 0 else middle - length
    picture[3:-3, start : start + length] = colour
    picture[:, middle] = MUTED
    return picture


def space(width: int, height: int) -> Picture:
    """Return blank paper."""
    return np.full((height, width, 3), PAPER, np.uint8)


def above(pictures: list[Picture]) -> Picture:
    """Put pictures under each other, flush left."""
    width = max(one.shape[1] for one in pictures)
    return np.vstack(
        [np.hstack([one, space(width - one.shape[1], one.shape[0])]) for one in pictures]
    )


def beside(pictures: list[Picture], gap: int, *, middle: bool = False) -> Picture:
    """Put pictures beside each other, aligned at the top or in the middle."""
    height = max(one.shape[0] for one in pictures)
    parts: list[Picture] = []
    for one in pictures:
        over = (height - one.shape[0]) // 2 if middle else 0
        under = height - one.shape[0] - over
        parts += [space(gap, height)] if parts else []
        parts += [np.vstack([space(one.shape[1], over), one, space(one.shape[1], under)])]
    return np.hstack(parts)


def framed(picture: Picture, margin: int) -> Picture:
    """Leave a margin round a picture."""
    padded: Picture = np.pad(
        picture, ((margin, margin), (margin, margin), (0, 0)), constant_values=255
    )
    return padded


def outlined(picture: Picture) -> Picture:
    """Draw a thin line along the borders of a picture."""
    lined = picture.copy()
    lined[[0, -1]] = lined[:, [0, -1]] = MUTED
    return lined


def _lines(words: str, font: FreeTypeFont, width: int) -> list[str]:
    """Break text into lines no wider than `width`."""
    lines = [""]
    # "12 %" stays on one line.
    for word in re.split(r"\s+(?!%)", words.strip()):
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines += [""]
            lines[-1] += letter
    return lines


@cache
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    # With a size, Pillow gives the scalable font it ships, on every machine the same.
    font: FreeTypeFont = ImageFont.load_default(size=size)  # type: ignore[assignment]
    return font


@cache
def _has(letter: str) -> bool:
    font = _font(TEXT)
    return letter == " " or bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def _showable(words: str) -> str:
    """Replace what the font lacks: accents are dropped, everything else becomes "?"."""
    shown = ""
    for letter in literal(words):
        plain = letter if _has(letter) else unicodedata.normalize("NFKD", letter)[0]
        shown += plain if _has(plain) else "?"
    return shown
