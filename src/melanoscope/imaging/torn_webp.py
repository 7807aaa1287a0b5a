"""Tells WebPs whose end is missing from those that only look so.

Their decoder paints on over what is missing, and says nothing. But it can be asked: whatever is
taken from the data of a whole picture is missed. That costs a decoding, and only files that look
torn are asked.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

from PIL import Image

from melanoscope.imaging.memory_limits import need_of

# So many bytes of a picture's data are missed by its decoder: libwebp ends VP8 in up to 3 bytes
# that are never used, VP8L in 1; the margin is for other encoders.
_MISSED = {b"VP8 ": 5, b"VP8L": 3}
# Zeros within the data: black and what a sparse copy left out look alike.
HOLE = bytes(64)
_BAND = 2**20  # pixels that are hashed at a time


def is_torn_webp(content: bytes, max_pixels: int) -> bool:
    """Say whether a WebP is cut off, or its first picture has zeros that belong to nothing."""
    if len(content) < 8 + int.from_bytes(content[4:8], "little"):
        return True
    # Zeros themselves are no sign: VP8 codes the black below a picture as thousands of them.
    for name, data in _pictures(content[12:]):
        missed = _MISSED[name]
        if data[-missed:].strip(b"\0") and HOLE not in data:
            return False
        shorter = data[:-missed]
        chunk = name + len(shorter).to_bytes(4, "little") + shorter + b"\0" * (len(shorter) & 1)
        file = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
        return picture_hash(file, "WEBP", max_pixels) is not None
    return False


def _pictures(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Go through the chunks of a WebP that are pictures, also those inside frames."""
    place = 0
    while place + 8 <= len(content):
        name, size = (
            content[place : place + 4],
            int.from_bytes(content[place + 4 : place + 8], "little"),
        )
        body = content[place + 8 : place + 8 + size]
        if name in _MISSED:
            yield name, body
        elif name == b"ANMF":
            yield from _pictures(body[16:])
        place += 8 + size + (size & 1)


def picture_hash(content: bytes, kind: str, max_pixels: int) -> bytes | None:
    """Decode a whole file; return its pixels' hash, or None where that fails or is too much."""
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as image:
            if need_of(kind, image).pixels > max_pixels:
                return None
            digest = hashlib.blake2b(repr(image.size).encode())
            rows = max(1, _BAND // image.width)
            for top in range(0, image.height, rows):
                band = image.crop((0, top, image.width, min(top + rows, image.height)))
                digest.update(band.tobytes())
            return digest.digest()
    except Exception:  # noqa: BLE001 - whatever a decoder says of data that was made to fail
        return None
