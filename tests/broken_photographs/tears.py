"""Whole files torn, filled up and flipped, at places of every kind."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .entry import Entry, Right
from .whole import RAW, SUFFIXES, TILE, whole_files

_FIRST = (1, 2, 3, 5, 8, 13, 21, 40, 77, 150)  # magic, header, tables
_LAST = (1, 2, 3, 4, 6, 9, 14, 25, 60)
_SHARES = (0.05, 0.15, 0.31, 0.5, 0.69, 0.88)
_FLIPS = 8
# From here to the end of an uncompressed file zeros may be its picture's black corner, and in
# place of the last bytes of others they may be nothing; so may zeros from near a row's edge on
# (docs/results/torn_files.md).
_HEAD = 60
_ROW, _TILES_A_ROW = 160 * 3, 3
_ROWS_LEFT, _UNSEEN = 2 * _ROW, {"webp": 64, "webp-lossless": 8, "avif": 8}


def torn(seed: int) -> Iterator[Entry]:
    """Go through every format's whole file cut off and filled with zeros from many places."""
    for name, (kind, content) in whole_files(seed).items():
        suffix = SUFFIXES[kind]
        for place in _places(name, content, random.Random(seed)):
            start = f"{name}-{place}"
            cut = content[:place]
            yield Entry("cut off", f"{start}-cut.{suffix}", Right.TORN, cut, content)
            filled = cut + bytes(len(content) - place)
            right = Right.EITHER if _is_unseen(name, content, place) else Right.TORN
            yield Entry("zeros to the end", f"{start}-zeros.{suffix}", right, filled, content)
        marked = content[: len(content) // 2]
        if kind == "JPEG":
            tail = marked + b"\xff\xd9"
            yield Entry("cut, with an end", f"{name}-end.{suffix}", Right.TORN, tail, content)
        ones = marked + b"\xff" * (len(content) - len(marked))
        yield Entry("ones to the end", f"{name}-ones.{suffix}", Right.EITHER, ones, content)


def flipped(seed: int) -> Iterator[Entry]:
    """Go through every format's whole file with single bits changed."""
    for name, (kind, content) in whole_files(seed).items():
        rng = random.Random(f"{seed} {name}")
        for number in range(_FLIPS):
            # Half of them in the head, where decoders trip.
            place = rng.randrange(min(200, len(content)) if number % 2 else len(content))
            changed = bytearray(content)
            changed[place] ^= 1 << rng.randrange(8)
            file = f"{name}-{number}-flipped.{SUFFIXES[kind]}"
            yield Entry("flipped bit", file, Right.EITHER, bytes(changed), content)


def wrong_names(seed: int) -> Iterator[Entry]:
    """Go through whole files under the suffix of another format."""
    suffixes = list(SUFFIXES.values())
    for name, (kind, content) in whole_files(seed).items():
        other = suffixes[(suffixes.index(SUFFIXES[kind]) + 1) % len(suffixes)]
        yield Entry("wrong suffix", f"{name}-is-no.{other}", Right.READ, content, content)


def _places(name: str, content: bytes, rng: random.Random) -> list[int]:
    size = len(content)
    places = {*_FIRST, *(size - last for last in _LAST), *(int(size * s) for s in _SHARES)}
    if name.startswith("jpeg"):
        scan = content.index(b"\xff\xda")
        places |= {scan, scan + 2, scan + 14, scan + 40}
    places |= {rng.randrange(1, size) for _ in range(4)}
    return sorted(place for place in places if 0 < place < size)


def _is_unseen(name: str, content: bytes, place: int) -> bool:
    left = len(content) - place
    if name not in RAW:
        return left <= _UNSEEN.get(name, 0)
    if place <= _HEAD:
        return True  # nothing but zeros behind a whole head: a black picture
    if name == "tiff-tiles":
        # What is right of the picture in the last tile of a row is black anyway.
        row, tiles_left = TILE * 3, (left - 1) // (TILE * TILE * 3)
        is_last = tiles_left % _TILES_A_ROW == 0
        return is_last or not 9 < left % row < row - 9
    return left <= _ROWS_LEFT or not 9 < left % _ROW < _ROW - 9
