"""Tells JPEGs and WebPs whose end is missing from those that only look so.

Their decoders paint on over what is missing, and say nothing that Pillow passes on. But a decoder
can be asked twice: whatever is put behind the data of a whole picture changes nothing, and whatever
is taken from the data of a whole picture is missed. Both cost a decoding, and only files that look
torn are asked.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

from PIL import Image

from melanoscope.imaging.decoder_limits import FRAMES, is_single_scan, jpeg_segments
from melanoscope.imaging.memory_limits import need_of

_END = b"\xff\xd9"
_SCAN, _INTERVAL = b"\xda", b"\xdd"
# Bits of two kinds, which no picture that goes on reads alike.
_FILLINGS = (b"\x35\xca\x9b\x64\x1e" * 40, b"\xc6\x17\x68\xe9\xb1" * 40)
# So many bytes of a picture's data are missed by its decoder: libwebp ends VP8 in up to 3 bytes
# that are never used, VP8L in 1; the margin is for other encoders.
_MISSED = {b"VP8 ": 5, b"VP8L": 3}
_MISSED_JPEG = 8
# Zeros within the data: black and what a sparse copy left out look alike.
_HOLE = bytes(64)
_BAND = 2**20  # pixels that are hashed at a time


def mended_jpeg(content: bytes, max_pixels: int) -> bytes | None:
    """Return a JPEG with an end marker; None where its picture is not whole.

    Args:
        content: The file.
        max_pixels: Number of pixels beyond which nothing is decoded to find out.

    Returns:
        The file itself, whose end marker need not be its end; or, where that marker is lost and
        the picture behind which it belongs is whole, the picture's data and the marker.
    """
    frame, components, scan = b"", 0, 0
    for marker, place in jpeg_segments(content):
        if marker in FRAMES:
            frame, components = marker, int.from_bytes(content[place + 7 : place + 8])
        if marker == _INTERVAL:
            # Behind a restart marker that is lost, nothing that is put there is read.
            frame = b""
        scan = place if marker == _SCAN else scan
    if scan == 0:
        return None
    is_single = is_single_scan(frame, components, content, scan)
    if content.rfind(_END, scan) >= 0:
        data = content[: content.find(_END, scan)]
        is_holed = is_single and data.find(_HOLE, scan) >= 0
        return None if is_holed and not _ends_with(data, max_pixels) else content
    if not is_single:
        return None  # further scans may be missing, and nothing says how many there were
    data = content.rstrip(b"\0")
    if data.endswith(b"\xff"):
        # Either a byte of data, which a zero follows, or half of the marker that is lost.
        data = data[:-1] if data == content else data + b"\0"
    return data + _END if _is_enough(data, max_pixels) else None


def _ends_with(data: bytes, max_pixels: int) -> bool:
    """Say whether a JPEG's picture takes all of its data and no more, as far as can be told."""
    # Data that ends in zeros ends in black, whose codes are as short as nothing.
    is_black = not data[-_MISSED_JPEG - 1 : -1].strip(b"\0")
    return _is_enough(data, max_pixels) and (
        is_black or not _is_enough(data[:-_MISSED_JPEG], max_pixels)
    )


def _is_enough(data: bytes, max_pixels: int) -> bool:
    """Say whether nothing that is put behind the data of a JPEG changes its picture."""
    pictures = [_picture(data + filling + _END, "JPEG", max_pixels) for filling in _FILLINGS]
    return pictures[0] is not None and pictures[0] == pictures[1]


def is_torn_webp(content: bytes, max_pixels: int) -> bool:
    """Say whether a WebP is cut off, or its first picture has zeros that belong to nothing."""
    if len(content) < 8 + int.from_bytes(content[4:8], "little"):
        return True
    # Zeros themselves are no sign: VP8 codes the black below a picture as thousands of them.
    for name, data in _pictures(content[12:]):
        missed = _MISSED[name]
        if data[-missed:].strip(b"\0") and _HOLE not in data:
            return False
        shorter = data[:-missed]
        chunk = name + len(shorter).to_bytes(4, "little") + shorter + b"\0" * (len(shorter) & 1)
        file = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
        return _picture(file, "WEBP", max_pixels) is not None
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


def _picture(content: bytes, kind: str, max_pixels: int) -> bytes | None:
    """Decode; return the pixels' hash, or None where that fails or there would be too many."""
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
