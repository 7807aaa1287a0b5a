"""Decides whether three channels of a DICOM file are RGB or YCbCr: its tag is not to be believed.

ISIC 2020's files say YBR_FULL_422 and hold RGB; other programs say RGB of a JPEG in YCbCr. What the
coding itself says counts: of JPEG its Adobe marker, colors sampled more coarsely (YCbCr), component
ids "RGB"; of JPEG 2000 its own transform. Where it says nothing, or a JFIF marker and the tag
contradict each other, the pixels are asked (`is_ycbcr`), and only what they leave open does the tag
decide.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Share of colors outside RGB beyond which channels read as YCbCr are none; and the mean slope of
# the second and third channel on the first, up to which they are YCbCr and from which they are
# RGB. Of 3,497 photographs of four archives, in both kinds and under both tags, none was taken for
# the other (at most 0.1 %, Clopper-Pearson; benchmarks/dicom_colors.py); the highest slope in YCbCr
# was 0.25, and in RGB the lowest without colors outside was over 0.5.
_MAX_OUTSIDE = 0.001
_YCBCR_SLOPE, _RGB_SLOPE = 0.3, 0.5
_SAMPLED = 128  # places a side at which pixels are looked at

# PS3.3, C.7.6.3.1.2, as JFIF; Pillow's own conversion does not round and is half a level darker.
_FROM_YCBCR = (
    *(1.0, 0.0, 1.402, -1.402 * 128),
    *(1.0, -0.344136, -0.714136, (0.344136 + 0.714136) * 128),
    *(1.0, 1.772, 0.0, -1.772 * 128),
)
_ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
_FRAMES = {one for one in range(0xC0, 0xD0) if one not in (0xC4, 0xC8, 0xCC)}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_SCAN = 0xDA


@dataclass(frozen=True, slots=True)
class _JpegHead:
    """What a JPEG says of its colors."""

    jfif: bool
    adobe: int | None
    precision: int
    lossless: bool
    components: int
    named_rgb: bool
    coarse: bool


def is_stated_ycbcr(photometric: str) -> bool:
    """Whether a photometric interpretation states YCbCr."""
    return photometric.startswith("YBR")


def is_ycbcr(pixels: NDArray[np.uint8], stated: bool) -> bool:
    """Tell YCbCr from RGB by the pixels of a photograph.

    Args:
        pixels: Three channels as stored, shape (h, w, 3).
        stated: What the file's tag states, which decides where the pixels leave it open.

    Returns:
        Whether the channels are YCbCr.
    """
    # The channels of RGB rise and fall with the light together, those of YCbCr do not; and RGB read
    # as YCbCr gives colors that no screen has.
    steps = [max(1, side // _SAMPLED) for side in pixels.shape[:2]]
    sample = pixels[:: steps[0], :: steps[1]].reshape(-1, 3).astype(np.float64)
    y, cb, cr = sample[:, 0], sample[:, 1] - 128, sample[:, 2] - 128
    read = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=1)
    if np.mean(((read < -8) | (read > 263)).any(axis=1)) > _MAX_OUTSIDE:
        return False
    moved = sample - sample.mean(axis=0)
    spread = np.mean(moved[:, 0] ** 2)
    if spread < 1:
        return stated
    slope = np.mean(moved[:, :1] * moved[:, 1:]) / spread
    return bool(slope < _YCBCR_SLOPE or (stated and slope < _RGB_SLOPE))


def to_rgb(pixels: NDArray[np.uint8], stated: bool) -> Image.Image:
    """Make an image of three channels, (h, w, 3), which `is_ycbcr` tells apart."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return image.convert("RGB", _FROM_YCBCR) if is_ycbcr(pixels, stated) else image


def open_jpeg(frame: bytes, stated: bool) -> Image.Image:
    """Open a JPEG so that it comes out as RGB or grey, whatever its marks make of it.

    Args:
        frame: The coded frame.
        stated: Whether the DICOM file states YCbCr.

    Returns:
        The image, still to be loaded but where it is lossless.
    """
    from PIL import JpegImagePlugin  # noqa: F401 - Pillow loads decoders by their import

    # EXIF and XMP would turn the picture; a DICOM file's pixels stand as they are to be shown.
    frame = _without(frame, 0xE1)
    head = _read_head(frame)
    if head.components != 3 or head.adobe == 1 or (head.adobe is None and head.coarse):
        return _open(frame)
    if head.lossless:
        stored = _open(_marked_rgb(frame))
        return stored if head.adobe == 0 else to_rgb(np.asarray(stored), stated)
    if head.adobe == 0 or head.named_rgb:
        return _open(_marked_rgb(frame))
    if head.jfif and stated:
        return _open(frame)
    small = _open(_marked_rgb(frame))
    small.draft(None, (_SAMPLED, _SAMPLED))
    return _open(frame if is_ycbcr(np.asarray(small), stated) else _marked_rgb(frame))


def jpeg_precision(frame: bytes) -> int:
    """Return the bits of each color of a JPEG."""
    return _read_head(frame).precision


def has_color_transform(frame: bytes) -> bool:
    """Whether a JPEG 2000 says that its decoder turns YCbCr into RGB (T.800, A.6.1)."""
    place = frame.find(b"\xff\x52", frame.find(b"\xff\x4f\xff\x51"))
    return place >= 0 and frame[place + 8 : place + 9] == b"\x01"


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=("JPEG",))


def _segments(frame: bytes) -> list[tuple[int, int, int]]:
    """List the segments before the first scan: marker, where it begins and where it ends."""
    place, found = 2, []
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        if frame[place + 1] == 0xFF:
            place += 1
            continue
        end = place + 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
        found.append((frame[place + 1], place, end))
        if frame[place + 1] == _SCAN:
            break
        place = end
    return found


def _read_head(frame: bytes) -> _JpegHead:
    jfif, adobe, precision, lossless = False, None, 8, False
    ids, samplings = b"", b""
    for marker, start, end in _segments(frame):
        body = frame[start + 4 : end]
        if marker == 0xE0 and body.startswith(b"JFIF\0"):
            jfif = True
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        elif marker in _FRAMES and len(body) >= 6:
            precision, lossless = body[0], marker in _LOSSLESS
            ids, samplings = body[6::3], body[7::3]
    coarse = len(samplings) == 3 and (samplings[0] != samplings[1] or samplings[0] != samplings[2])
    return _JpegHead(jfif, adobe, precision, lossless, len(ids), ids == b"RGB", coarse)


def _without(frame: bytes, *markers: int) -> bytes:
    """Leave out segments before the first scan."""
    kept, place = [], 0
    for marker, start, end in _segments(frame):
        if marker in markers:
            kept.append(frame[place:start])
            place = end
    return b"".join([*kept, frame[place:]]) if kept else frame


def _marked_rgb(frame: bytes) -> bytes:
    """Mark a JPEG as RGB by Adobe's marker, in place of its own marks of colors."""
    plain = _without(frame, 0xE0, 0xEE)
    return plain[:2] + _ADOBE_RGB + plain[2:]
