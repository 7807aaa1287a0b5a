"""Refuses files that would keep a decoder busy for minutes, before a decoder sees them.

A decoder's time does not follow from a picture's size alone. A JPEG of a megabyte may hold
thousands of scans, each of which passes over the whole picture; a PNG millions of empty chunks; a
TIFF millions of strips. No camera, archive or program writes such files, and no decoder can be
interrupted. Walks markers, chunks and tags only; a file that is whole takes microseconds.
"""

from __future__ import annotations

import re
import struct

MOST_SCANS = 100  # of a JPEG; progressive ones have about 10
# Before a JPEG's first scan; a colour profile takes up to 255, previews some dozens.
_MOST_SEGMENTS = 2_000
# Of a PNG; written in the smallest usual pieces, 64 megapixels take some 10,000.
_MOST_CHUNKS = 20_000
# Of a TIFF, or tiles; one for each row of the tallest picture that is let in.
_MOST_STRIPS = 65_536

# A marker's second byte: not 0 (a stuffed 0xFF), no restart, no filling.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_END, _SCAN, _ALONE = b"\xd9", b"\xda", (b"\x01", b"\xd8")
_FRAMES = {bytes([one]) for one in range(0xC0, 0xD0) if one not in (0xC4, 0xC8, 0xCC)}
_SEQUENTIAL = (b"\xc0", b"\xc1")
_STRIPS = {273, 279, 324, 325}  # offsets and lengths of strips and tiles
_RUNS = {1, 2}  # BI_RLE8, BI_RLE4


def exceeds_decoder_limits(kind: str, content: bytes) -> str | None:
    """Say what in a whole file of format `kind` would keep a decoder busy for too long, or None."""
    walk = {"JPEG": _jpeg, "PNG": _png, "TIFF": _tiff, "BMP": _bmp}.get(kind)
    return None if walk is None else walk(content)


def _jpeg(content: bytes) -> str | None:
    place, frame, components = 2, b"", b""
    for _ in range(_MOST_SEGMENTS):
        while content[place : place + 2] == b"\xff\xff":
            place += 1
        marker = content[place + 1 : place + 2]
        if content[place : place + 1] != b"\xff" or marker in (_END, b""):
            return None
        if marker == _SCAN:
            # Of these one scan is all; to look for more takes as long as a tenth of decoding.
            whole = content[place + 4 : place + 5] == components
            is_over = not (frame in _SEQUENTIAL and whole) and _scans(content) > MOST_SCANS
            return f"more than {MOST_SCANS} scans" if is_over else None
        if marker in _FRAMES:
            frame, components = marker, content[place + 9 : place + 10]
        alone = marker in _ALONE
        place += 2 if alone else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return f"more than {_MOST_SEGMENTS} segments"


def _scans(content: bytes) -> int:
    place, scans = 2, 0
    # To count is faster than to walk; what is counted may also be a thumbnail's, or chance.
    if (most := content.count(b"\xff\xda")) <= MOST_SCANS:
        return most
    while scans <= MOST_SCANS and (found := _MARKER.search(content, place)):
        marker, place = found[1], found.end()
        scans += marker == _SCAN
        if marker == _END:
            break
        if marker not in _ALONE:
            place += int.from_bytes(content[place : place + 2], "big")
    return scans


def _png(content: bytes) -> str | None:
    place, chunks = 8, 0
    while place + 8 <= len(content):
        chunks += 1
        if chunks > _MOST_CHUNKS:
            return f"more than {_MOST_CHUNKS} chunks"
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return None


def _tiff(content: bytes) -> str | None:
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43 if len(content) >= 4 else False
    first, number, tag, count = ("Q", "Q", 20, "Q") if big else ("I", "H", 12, "I")
    try:
        (place,) = struct.unpack_from(order + first, content, 8 if big else 4)
        (tags,) = struct.unpack_from(order + number, content, place)
        place += struct.calcsize(order + number)
        for at in range(place, place + tag * min(tags, _MOST_STRIPS), tag):
            name, _, values = struct.unpack_from(f"{order}HH{count}", content, at)
            if name in _STRIPS and values > _MOST_STRIPS:
                return f"more than {_MOST_STRIPS} strips"
    except struct.error:
        pass  # broken, which is for the decoder to say
    return None


def _bmp(content: bytes) -> str | None:
    if len(content) >= 34 and int.from_bytes(content[30:34], "little") in _RUNS:
        return "rows in run-length code"
    return None
