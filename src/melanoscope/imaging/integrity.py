"""Refuses files that are not whole, in every format that is read.

An interrupted download leaves a file that is cut off anywhere; a program that reserves the room
first, or a sparse copy, leaves its full length with zeros from anywhere on. Decoders accept many of
both in silence, and half a lesion on grey or black is learnt from like a whole one. Which share is
found in which format is measured (docs/results/torn_files.md). HEIC and AVIF: `heif`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

from melanoscope.imaging.raw_rows import stops_within_a_row
from melanoscope.imaging.tiff_tags import tiff_tags
from melanoscope.imaging.torn_jpeg import mended_jpeg
from melanoscope.imaging.torn_webp import is_torn_webp

# Tags of TIFF 6.0.
_WIDTH, _BITS, _COMPRESSION, _SAMPLES, _PLANAR, _TILE_WIDTH = 256, 258, 259, 277, 284, 322
_JPEG_TABLES = 347
_STRIPS, _TILES = (273, 279), (324, 325)
_WANTED = (_WIDTH, _BITS, _COMPRESSION, _SAMPLES, _PLANAR, _TILE_WIDTH, *_STRIPS, *_TILES)
_RAW, _JPEG, _ENDED = 1, 7, {5, 8, 32946, 32773}  # LZW, deflate twice, PackBits
# No coder ends in so many zeros: LZW writes an end, deflate a checksum, PackBits runs.
_FEWEST_ZEROS = 8
# What a sparse copy leaves out, or a torrent has not fetched yet, begins and ends with a page.
_PAGE = 4096
_NO_PAGE = bytes(_PAGE)
# In rows of pixels the edge of a black border is dark, and what lies beside a hole seldom is.
_LIT, _MAY_BE_ROWS = 16, ("TIFF", "BMP", "DICOM")


def whole_content(kind: str, content: bytes, max_pixels: int) -> bytes | None:
    r"""Return what is to be decoded of a file, or None where it is torn.

    Args:
        kind: Format, as `detect_file_type` names it.
        content: The whole file.
        max_pixels: Number of pixels beyond which nothing is decoded to find out.

    Returns:
        The content itself; of a JPEG up to the end of its first picture.

    >>> whole_content("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\x09IDAT...", 10**6) is None
    True
    """
    if has_hole(content, _LIT if kind in _MAY_BE_ROWS else 1):
        return None
    if kind == "JPEG":
        return mended_jpeg(content, max_pixels)
    torn = (
        (kind == "PNG" and _is_torn_png(content))
        or (kind == "WEBP" and is_torn_webp(content, max_pixels))
        or (kind == "BMP" and _is_torn_bmp(content))
        or (kind == "TIFF" and _is_torn_tiff(content))
    )
    return None if torn else content


def has_hole(content: bytes, lit: int = 1) -> bool:
    r"""Say whether whole pages of a file are zeros between bytes of `lit` and more.

    A black border is as dark, but begins and ends at a page's edges once in millions of times.

    >>> has_hole(b"\x50" * 4096 + bytes(8192) + b"\x50" * 9)
    True
    >>> has_hole(b"\x50" * 4097 + bytes(8192) + b"\x50" * 9)
    False
    """
    end = 0
    for number, first in enumerate(content[::_PAGE]):
        start = number * _PAGE
        if first or start < end or content[start : start + _PAGE] != _NO_PAGE:
            continue
        end = start + _PAGE
        while content[end : end + _PAGE] == _NO_PAGE:
            end += _PAGE
        if start > 0 and end < len(content) and min(content[start - 1], content[end]) >= lit:
            return True
    return False


def _is_torn_png(content: bytes) -> bool:
    """Check the data's checksums, which Pillow does not; what stands behind them may be lost."""
    place = 8
    while place + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        end = place + 8 + size
        if name == b"IDAT":
            checksum = zlib.crc32(memoryview(content)[place + 4 : end])
            if content[end : end + 4] != checksum.to_bytes(4, "big"):
                return True
        place = end + 4
    return False


def _is_torn_bmp(content: bytes) -> bool:
    try:
        start, header = struct.unpack_from("<II", content, 10)
        form, place = ("<HHHH", 18) if header == 12 else ("<iiHH", 18)
        width, height, _, bits = struct.unpack_from(form, content, place)
    except struct.error:
        return True
    stride = (abs(width) * bits + 31) // 32 * 4
    unpadded = (abs(width) * bits + 7) // 8
    rows = content[start : start + stride * abs(height)]
    is_cut = len(rows) < stride * (abs(height) - 1) + unpadded
    return is_cut or _rows_stop(rows, stride, bits, abs(width))


def _rows_stop(rows: bytes, stride: int, bits: int, width: int) -> bool:
    if bits < 8:
        width, bits = -(-width * bits // 8), 8
    return stride > 0 and stops_within_a_row(rows, stride, bits // 8, width)


def _is_torn_tiff(content: bytes) -> bool:
    try:
        tags = {tag.name: tag for tag in tiff_tags(content)}
        read = {name: tags[name].values(content) for name in _WANTED if name in tags}
    except struct.error:
        return True
    # A directory at the end of the file, or its values, that were never written.
    if not tags or 0 in tags:
        return True
    written = len(content.rstrip(b"\0"))
    unwritten = len(content) - written >= _FEWEST_ZEROS
    for tag in (tags[name] for name in (*_WANTED, _JPEG_TABLES) if name in tags):
        lost = tag.place + tag.size - max(tag.place, written)
        if unwritten and lost >= min(tag.size, _FEWEST_ZEROS):
            return True
    offsets, counts = _TILES if _TILES[0] in tags else _STRIPS
    found = zip(read.get(offsets, ()), read.get(counts, ()), strict=False)
    pieces = [(start, start + size) for start, size in found]
    coding = read.get(_COMPRESSION, (_RAW,))[0]
    if coding == _RAW:
        return _are_torn_rows(content, read, sorted(pieces))
    return any(_is_torn_piece(content[start:end], end - start, coding) for start, end in pieces)


def _is_torn_piece(data: bytes, size: int, coding: int) -> bool:
    if coding == _JPEG:
        return b"\xff\xd9" not in data[-4:]
    return coding in _ENDED and (len(data) < size or not data[-_FEWEST_ZEROS:].strip(b"\0"))


def _are_torn_rows(
    content: bytes, read: Mapping[int, tuple[int, ...]], pieces: Sequence[tuple[int, int]]
) -> bool:
    # With gaps between pieces their rows are no one's neighbours; nobody writes them so.
    if not pieces or any(end != start for (_, end), (start, _) in pairwise(pieces)):
        return False
    width = read.get(_TILE_WIDTH, read.get(_WIDTH, (0,)))[0]
    bits = read.get(_BITS, (1,))
    is_one_plane = read.get(_PLANAR, (1,))[0] == 1
    # Some files name the bits once for all samples.
    samples = max(len(bits), read.get(_SAMPLES, (1,))[0])
    together = bits[0] * samples if is_one_plane else bits[0]
    rows = content[pieces[0][0] : pieces[-1][1]]
    return _rows_stop(rows, (width * together + 7) // 8, together, width)
