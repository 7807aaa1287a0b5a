"""Tells JPEGs whose picture is not whole, with or without an end marker, from those that are.

A decoder paints on over what is missing, and says nothing that Pillow passes on; a program that
saves what it has puts an end marker behind half a picture. But whatever is put behind the data of a
whole picture changes nothing. A picture in one scan is given to its decoder with some bytes in
place of the end marker: where it is whole they are not needed, and where it is cut the decoder
takes them for data and asks for more, which Pillow does report. So that costs nothing. Only
what has several scans, or looks torn, is decoded to find out.
"""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.imaging.decoder_limits import (
    END,
    FRAMES,
    SCAN,
    is_single_scan,
    jpeg_markers,
    jpeg_segments,
)
from melanoscope.imaging.torn_webp import HOLE, picture_hash

_INTERVAL, _PROGRESSIVE, _SEQUENTIAL = b"\xdd", b"\xc2", (b"\xc0", b"\xc1")
_END = b"\xff" + END
# Bits of two kinds, which no picture that goes on reads alike.
_FILLINGS = (b"\x35\xca\x9b\x64\x1e" * 40, b"\xc6\x17\x68\xe9\xb1" * 40)
# A decoder looks up to 8 bytes ahead.
_AHEAD = _FILLINGS[0][:16]
_MISSED = 8
_COEFFICIENTS = 64


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before a JPEG's first scan."""

    frame: bytes  # second byte of the frame's marker
    components: int
    has_restarts: bool
    scan: int  # where the length of the first scan's head is; 0 if there is none

    def is_single(self, content: bytes) -> bool:
        return is_single_scan(self.frame, self.components, content, self.scan)


def mended_jpeg(content: bytes, max_pixels: int) -> bytes | None:
    """Return what is to be decoded of a JPEG; None where its picture is not whole.

    Args:
        content: The file.
        max_pixels: Number of pixels beyond which nothing is decoded to find out.

    Returns:
        The file up to its end marker, and in place of this, of a picture in one scan, some bytes
        that a whole picture does not need; with an end marker where that is lost and nothing else.
    """
    head = _head_of(content)
    if head.scan == 0:
        return None
    is_single = head.is_single(content)
    if content.rfind(_END, head.scan) >= 0:
        if not is_single:
            return content if _has_all_scans(head, content, max_pixels) else None
        data = content[: content.find(_END, head.scan)]
        is_holed = not head.has_restarts and data.find(HOLE, head.scan) >= 0
        return None if is_holed and not _ends_with(data, max_pixels) else data + _AHEAD
    if not is_single or head.has_restarts:
        # Further scans may be missing; behind a restart marker that is lost, nothing is read.
        return None
    data = content.rstrip(b"\0")
    if data.endswith(b"\xff"):
        # Either a byte of data, which a zero follows, or half of the marker that is lost.
        data = data[:-1] if data == content else data + b"\0"
    return data + _END if _is_enough(data, max_pixels) else None


def _head_of(content: bytes) -> _Head:
    frame, components, has_restarts, scan = b"", 0, False, 0
    for marker, place in jpeg_segments(content):
        if marker in FRAMES:
            frame, components = marker, int.from_bytes(content[place + 7 : place + 8])
        has_restarts |= marker == _INTERVAL
        scan = place if marker == SCAN else scan
    return _Head(frame, components, has_restarts, scan)


def _has_all_scans(head: _Head, content: bytes, max_pixels: int) -> bool:
    """Say whether a picture in several scans has them all, and the last one is whole."""
    if head.frame not in (_PROGRESSIVE, *_SEQUENTIAL):
        return True  # lossless, arithmetic: nobody's photograph but DICOM's, of one scan
    exact: set[tuple[int, int]] = set()
    end = len(content)
    for marker, place in jpeg_markers(content, head.scan - 2):
        if marker == END:
            end = place - 2
        elif marker == SCAN:
            exact |= _exact_after(content[place : place + 16])
    wanted = _COEFFICIENTS * head.components
    return len(exact) == wanted and _is_enough(content[:end], max_pixels)


def _exact_after(scan: bytes) -> set[tuple[int, int]]:
    """Return which coefficients, (component, number), a scan brings to their last bit."""
    # Length, count, two bytes a component, first and last coefficient, bits left out.
    count = scan[2] if len(scan) > 2 else 0
    band = scan[3 + 2 * count : 6 + 2 * count]
    if len(band) < 3 or band[2] & 15:
        return set()
    components = scan[3 : 3 + 2 * count : 2]
    return {(name, number) for name in components for number in range(band[0], band[1] + 1)}


def _ends_with(data: bytes, max_pixels: int) -> bool:
    """Say whether a JPEG's picture takes all of its data and no more, as far as can be told."""
    # Data that ends in zeros ends in black, whose codes are as short as nothing.
    is_black = not data[-_MISSED - 1 : -1].strip(b"\0")
    return _is_enough(data, max_pixels) and (
        is_black or not _is_enough(data[:-_MISSED], max_pixels)
    )


def _is_enough(data: bytes, max_pixels: int) -> bool:
    """Say whether nothing that is put behind the data of a JPEG changes its picture."""
    pictures = [picture_hash(data + filling + _END, "JPEG", max_pixels) for filling in _FILLINGS]
    return pictures[0] is not None and pictures[0] == pictures[1]
