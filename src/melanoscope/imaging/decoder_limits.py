"""Refuses files that would keep a decoder busy for minutes, before a decoder sees them.

A decoder's time does not follow from a picture's size alone. A JPEG of a megabyte may hold
thousands of scans, each of which passes over the whole picture; a PNG millions of empty chunks; a
TIFF millions of strips. No camera, archive or program writes such files, and no decoder can be
interrupted. Walks markers, chunks and tags only; a file that is whole takes microseconds.
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from itertools import islice

from melanoscope.imaging.tiff_tags import tiff_tags

MAX_SCANS = 100  # of a JPEG; progressive ones have about 10
# Before a JPEG's first scan; a colour profile takes up to 255, previews some dozens.
_MAX_SEGMENTS = 2_000
# Of a PNG; written in the smallest usual pieces, 64 megapixels take some 10,000.
_MAX_CHUNKS = 20_000
# Of a TIFF, or tiles; one for each row of the tallest picture that is let in.
_MAX_STRIPS = 65_536

# A marker's second byte: not 0 (a stuffed 0xFF), no restart, no filling.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
END, SCAN = b"\xd9", b"\xda"
_ALONE = (b"\x01", b"\xd8")
FRAMES = {bytes([one]) for one in range(0xC0, 0xD0) if one not in (0xC4, 0xC8, 0xCC)}
_SEQUENTIAL = (b"\xc0", b"\xc1")
_STRIPS = {273, 279, 324, 325}  # offsets and lengths of strips and tiles
_RUNS = {1, 2}  # BI_RLE8, BI_RLE4


def exceeds_decoder_limits(kind: str, content: bytes) -> str | None:
    """Say what in a whole file of format `kind` would keep a decoder busy for too long, or None."""
    walk = {"JPEG": _jpeg, "PNG": _png, "TIFF": _tiff, "BMP": _bmp}.get(kind)
    return None if walk is None else walk(content)


def jpeg_segments(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Go through the segments of a JPEG up to its first scan: marker, and where its length is."""
    place = 2
    while True:
        while content[place : place + 2] == b"\xff\xff":
            place += 1
        marker = content[place + 1 : place + 2]
        if content[place : place + 1] != b"\xff" or marker in (END, b""):
            return
        yield marker, place + 2
        if marker == SCAN:
            return
        length = 0 if marker in _ALONE else int.from_bytes(content[place + 2 : place + 4], "big")
        place += 2 + length


def is_single_scan(frame: bytes, components: int, content: bytes, place: int) -> bool:
    """Say whether the scan whose length is at `place` holds all of a sequential picture."""
    return frame in _SEQUENTIAL and content[place + 2 : place + 3] == bytes([components])


def _jpeg(content: bytes) -> str | None:
    frame, components = b"", 0
    for number, (marker, place) in enumerate(jpeg_segments(content)):
        if number == _MAX_SEGMENTS:
            return f"more than {_MAX_SEGMENTS} segments"
        if marker in FRAMES:
            frame, components = marker, int.from_bytes(content[place + 7 : place + 8])
        # Of a picture in one scan that is all; to look for more takes a tenth of decoding.
        if (
            marker == SCAN
            and not is_single_scan(frame, components, content, place)
            and _scans(content) > MAX_SCANS
        ):
            return f"more than {MAX_SCANS} scans"
    return None


def _scans(content: bytes) -> int:
    # To count is faster than to walk; what is counted may also be a thumbnail's, or chance.
    if (most := content.count(b"\xff\xda")) <= MAX_SCANS:
        return most
    walk = jpeg_markers(content, 2)
    return sum(1 for _ in islice((place for name, place in walk if name == SCAN), MAX_SCANS + 1))


def jpeg_markers(content: bytes, place: int) -> Iterator[tuple[bytes, int]]:
    """Go through the markers of a JPEG from `place` to its end: which, and what is behind it."""
    while found := _MARKER.search(content, place):
        marker, place = found[1], found.end()
        yield marker, place
        if marker == END:
            return
        if marker not in _ALONE:
            place += int.from_bytes(content[place : place + 2], "big")


def _png(content: bytes) -> str | None:
    place, chunks = 8, 0
    while place + 8 <= len(content):
        chunks += 1
        if chunks > _MAX_CHUNKS:
            return f"more than {_MAX_CHUNKS} chunks"
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return None


def _tiff(content: bytes) -> str | None:
    # What is broken is for the decoder to say.
    with contextlib.suppress(struct.error):
        if any(tag.name in _STRIPS and tag.count > _MAX_STRIPS for tag in tiff_tags(content)):
            return f"more than {_MAX_STRIPS} strips"
    return None


def _bmp(content: bytes) -> str | None:
    if len(content) >= 34 and int.from_bytes(content[30:34], "little") in _RUNS:
        return "rows in run-length code"
    return None
