"""Reads where the first directory of a TIFF says that its picture lies, and checks its own values.

Format: TIFF 6.0, section 2; BigTIFF has offsets of 8 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# A directory of more entries is nobody's photograph.
_MAX_ENTRIES = 4096
# Bytes of a value, and how it is read, by its type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SIZES |= {13: 4, 16: 8, 17: 8, 18: 8}
_FORMS = {1: "B", 3: "H", 4: "I", 16: "Q"}


@dataclass(frozen=True, slots=True)
class TiffTag:
    """An entry of a directory.

    Attributes:
        name: Number of the tag, such as 273 for the offsets of strips.
        kind: Type of its values.
        count: How many it has.
        place: Where they begin in the file.
        size: Bytes that they take.
        order: "<" or ">", as `struct` has it.
    """

    name: int
    kind: int
    count: int
    place: int
    size: int
    order: str

    def values(self, content: bytes) -> tuple[int, ...]:
        """Read the values, whole numbers; empty for other types; struct.error if cut off."""
        form = _FORMS.get(self.kind)
        if form is None:
            return ()
        return struct.unpack_from(f"{self.order}{self.count}{form}", content, self.place)


def tiff_tags(content: bytes) -> Iterator[TiffTag]:
    """Go through the first directory of a TIFF; raises struct.error where the file is cut off."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    offset, number, length = ("Q", "Q", 20) if big else ("I", "H", 12)
    (place,) = struct.unpack_from(order + offset, content, 8 if big else 4)
    (entries,) = struct.unpack_from(order + number, content, place)
    place += struct.calcsize(order + number)
    inline = struct.calcsize(order + offset)
    for at in range(place, place + length * min(entries, _MAX_ENTRIES), length):
        name, kind, count = struct.unpack_from(f"{order}HH{offset}", content, at)
        size = count * _SIZES.get(kind, 0)
        value = at + length - inline
        if size > inline:
            (value,) = struct.unpack_from(order + offset, content, value)
        yield TiffTag(name, kind, count, value, size, order)
