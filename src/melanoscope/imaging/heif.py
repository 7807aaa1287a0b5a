"""Checks HEIC and AVIF files for what their decoders accept in silence: torn data, hidden size.

libde265 paints over what is missing: half a download, filled up with zeros by the program that
fetched it, comes out as half a lesion on grey without a word; AV1's decoders do so for the last
tenth. And a picture may be announced as small while the coded one behind it is huge, since the
container can crop (`clap`).

Boxes: ISO/IEC 14496-12, sections 4.2 and 8.11; the end of HEVC data: ITU-T H.265, section 7.4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

# A photograph of 200 million pixels has some 800 tiles; more boxes are nobody's photograph.
_MOST = 4096
# Bytes of 0xff that some programs fill a file with.
_FILLING = 32
# Bytes at the end of AV1 data that may be zeros, though no encoder leaves any.
_TAIL = 8


def most_pixels(content: bytes) -> int:
    """Return the number of pixels of the largest image that `content` announces (boxes `ispe`)."""
    sizes = [
        struct.unpack_from(">II", content, start + 4)
        for name, start, end in _inside(content, b"meta", b"iprp", b"ipco")
        if name == b"ispe" and end - start >= 12
    ]
    return max((width * height for width, height in sizes), default=0)


def is_torn(content: bytes) -> bool:
    """Say whether a coded image or one of its tiles is cut off or ends in padding."""
    # The last byte of HEVC data is never zero; AV1 may pad, though no encoder does.
    kinds = dict(_coded_items(content))
    for item, end in _item_ends(content):
        nothing = 1 if kinds.get(item) in (b"hvc1", b"hev1") else _TAIL
        tail = content[max(0, end - _FILLING) : end]
        ends_in_nothing = not tail.strip(b"\xff") or not tail[-nothing:].strip(b"\0")
        if item in kinds and (ends_in_nothing or end > len(content)):
            return True
    return False


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Go through the boxes of a stretch: name, and where the content begins and ends."""
    # What is broken ends it: the decoder will say so.
    for _ in range(_MOST):
        if start + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", content, start)
        body = start + 8
        if size == 1 and body + 8 <= end:
            size = struct.unpack_from(">Q", content, body)[0]
            body += 8
        stop = end if size == 0 else start + size
        if not body <= stop <= end:
            return
        yield name, body, stop
        start = stop


def _inside(content: bytes, *path: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Go through the boxes inside the boxes that a path of names leads to."""
    stretches = [(0, len(content))]
    for wanted in path:
        # Of these only `meta` has a version and flags before its boxes.
        skip = 4 if wanted == b"meta" else 0
        stretches = [
            (start + skip, end)
            for stretch in stretches
            for name, start, end in _boxes(content, *stretch)
            if name == wanted
        ]
    for stretch in stretches:
        yield from _boxes(content, *stretch)


def _coded_items(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Go through the items that are coded pictures, tiles among them, and their code (`iinf`)."""
    for name, start, end in _inside(content, b"meta"):
        if name != b"iinf" or start == end:
            continue
        entries = start + (6 if content[start] == 0 else 8)
        for entry, place, stop in _boxes(content, entries, end):
            if entry != b"infe" or stop - place < 14 - (content[place] < 3) * 2:
                continue
            form = ">HH4s" if content[place] < 3 else ">IH4s"
            item, _, kind = struct.unpack_from(form, content, place + 4)
            if kind in (b"hvc1", b"hev1", b"av01"):
                yield item, kind


def _item_ends(content: bytes) -> Iterator[tuple[int, int]]:
    """Go through the items that lie in the file itself, and where their data ends (`iloc`)."""
    for name, start, stop in _inside(content, b"meta"):
        if name == b"iloc" and stop - start >= 6:
            yield from _ends_of(content[start:stop], len(content))


def _ends_of(table: bytes, whole: int) -> Iterator[tuple[int, int]]:
    version = table[0]
    offset_size, length_size = table[4] >> 4, table[4] & 15
    base_size, index_size = table[5] >> 4, table[5] & 15 if version else 0
    id_size = 2 if version < 2 else 4
    place = 6

    def number(size: int) -> int:
        nonlocal place
        place += size
        return int.from_bytes(table[place - size : place], "big")

    for _ in range(min(number(id_size), _MOST)):
        item = number(id_size)
        in_file = version == 0 or number(2) & 15 == 0
        number(2)  # the file it lies in: always this one
        base, count = number(base_size), number(2)
        # Only the last stretch of an item's data tells where it ends.
        place += max(0, count - 1) * (index_size + offset_size + length_size)
        number(index_size)
        end = base + number(offset_size)
        length = number(length_size)
        if place > len(table):
            return
        if in_file and count:
            yield item, end + length if length else whole
