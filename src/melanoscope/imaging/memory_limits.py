"""How much memory a photograph takes while it is decoded, known from its head alone.

A file of 46 bytes may announce 81 million pixels, and what a pixel takes differs by format: from
almost nothing of a JPEG that is decoded scaled down to 20 bytes of a WebP. So a photograph is
refused by bytes, before its decoder reserves any. Measured: benchmarks/decoder_memory.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

# A photograph may take as much as `max_pixels` pixels of so many bytes. So one limit, which an
# archive has high and a service low, bounds both; MAX_PIXELS (89 million) allow 0.7 GB a thread.
BUDGET_PER_PIXEL = 8
# The file itself may take half of that beside: an uncompressed one has 3 or 4 bytes a pixel. Where
# only few pixels are let in, a file may have more of everything else.
_FILE_PER_PIXEL, _ANY_FILE = 4, 32 * 2**20

# Bytes a pixel while a photograph is decoded, by format: of the image, its turned copy and all
# that the decoder holds beside. "alpha" and "deep" (16 bits, floating point) are converted by
# bands and take a second image.
_PLAIN, _ALPHA, _DEEP = "plain", "alpha", "deep"
_NEEDS = {
    "JPEG": {_PLAIN: 5.0},  # undecoded coefficients beside it: see `_COEFFICIENT`
    "PNG": {_PLAIN: 8.0, _ALPHA: 12.0, _DEEP: 8.0},
    "BMP": {_PLAIN: 8.0, _ALPHA: 12.0},
    "TIFF": {_PLAIN: 8.0, _ALPHA: 12.0, _DEEP: 10.0},  # the largest strip beside it
    "WEBP": {_PLAIN: 20.0, _ALPHA: 20.0},  # two canvases and a copy, whatever they show
    "HEIF": {_PLAIN: 8.0, _ALPHA: 16.0},
    "AVIF": {_PLAIN: 10.0, _ALPHA: 16.0},
    "DICOM": {_PLAIN: 16.0, _DEEP: 16.0},
}
# Of a JPEG of several scans all coefficients stay in memory, for each of its colors.
_COEFFICIENT = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What decoding a photograph takes.

    Attributes:
        width: Width in pixels, as the head announces it.
        height: Height in pixels.
        bytes: Bytes of memory beside the file's own.
    """

    width: int
    height: int
    bytes: int

    @property
    def pixels(self) -> int:
        """Number of pixels that count: those announced, or more where each takes more."""
        return max(self.width * self.height, -(-self.bytes // BUDGET_PER_PIXEL))

    def __str__(self) -> str:
        """Say the size, and what it takes where that is more than of other photographs."""
        size = f"{self.width} x {self.height} pixels"
        if self.pixels == self.width * self.height:
            return size
        return f"{size}, which take {self.bytes / 1e6:,.0f} MB to decode"


def max_file_bytes(max_pixels: int) -> int:
    """Return the length of the longest file that is read where `max_pixels` are let in."""
    return max(_ANY_FILE, _FILE_PER_PIXEL * max_pixels)


def need_of(kind: str, image: Image.Image) -> Need:
    """Say what an opened image, of which nothing is decoded yet, will take."""
    each = _NEEDS[kind][_sort(kind, image)]
    if kind == "JPEG" and image.info.get("progressive"):
        each += _COEFFICIENT * len(image.getbands())
    if kind == "TIFF":
        each += _sample_bytes(image)
    return _need(image.width, image.height, each)


def need_of_webp(content: bytes) -> Need | None:
    """Say what a WebP will take: its decoder reserves the canvas on opening; None if torn."""
    size = _webp_size(content)
    return None if size is None else _need(*size, _NEEDS["WEBP"][_PLAIN])


def need_of_dicom(width: int, height: int, samples: int, bits: int, file_bytes: int) -> Need:
    """Say what the first frame of a DICOM file will take: all frames are read, as one."""
    each = _NEEDS["DICOM"][_PLAIN] + samples * -(-bits // 8)
    return _need(width, height, each, file_bytes)


def _need(width: int, height: int, each: float, more: int = 0) -> Need:
    return Need(width, height, round(width * height * each) + more)


def _sort(kind: str, image: Image.Image) -> str:
    needs = _NEEDS[kind]
    if _DEEP in needs and (image.mode in ("I", "F") or image.mode.startswith("I;16")):
        return _DEEP
    return _ALPHA if _ALPHA in needs and image.has_transparency_data else _PLAIN


def _sample_bytes(image: Image.Image) -> float:
    """Return the bytes of a TIFF's pixel as the file has it: one strip may hold all of them."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(258, (8,))
    return float(max(len(bits), int(tags.get(277, 1))) * max(bits) / 8)


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """Read the canvas of a WebP from its first chunk (RFC 9649, sections 2.5 to 2.7)."""
    name, head = content[12:16], content[20:30]
    if len(head) < 10:
        return None
    if name == b"VP8X":
        return (
            1 + int.from_bytes(head[4:7], "little"),
            1 + int.from_bytes(head[7:10], "little"),
        )
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 ":
        return (
            int.from_bytes(head[6:8], "little") & 0x3FFF,
            int.from_bytes(head[8:10], "little") & 0x3FFF,
        )
    return None
