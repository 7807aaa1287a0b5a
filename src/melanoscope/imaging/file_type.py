"""What a file is, by its first bytes: names and suffixes are what people and phones make of them.

Knowing the format beforehand also spares Pillow the loading of all its decoders, a third of a
second before the first PNG.
"""

from __future__ import annotations

# As many bytes as `detect_file_type` looks at.
HEAD = 192

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    *((start, "TIFF") for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
)

# Boxes of ISO/IEC 14496-12. Some brands name a family, so all that a file lists are asked.
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
# QuickTime films from before brands begin with one of these boxes.
_FILM_BOXES = {b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free"}
_FILM_STARTS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"0&\xb2u\x8ef\xcf\x11",  # Windows Media
    b"FLV\x01",
    b"OggS",
)


def detect_file_type(head: bytes) -> str | None:
    """Return Pillow's name of the format of a file's first `HEAD` bytes, "video", or None."""
    for start, name in _MAGIC:
        if head.startswith(start):
            return name
    if head.startswith(b"RIFF"):
        return {b"WEBP": "WEBP", b"AVI ": "video"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _kind_of_brands(head)
    if head[4:8] in _FILM_BOXES or head.startswith(_FILM_STARTS):
        return "video"
    # After 128 bytes of anything: what begins as another format is taken for that.
    if head[128:132] == b"DICM":
        return "DICOM"
    # An MPEG transport stream, of a camcorder: packets of 188 bytes.
    return "video" if head[:1] == b"G" and head[188:189] == b"G" else None


def _kind_of_brands(head: bytes) -> str:
    """Tell HEIC and AVIF from films, which begin with the same box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[place : place + 4] for place in range(16, end - 3, 4)}
    if brands & _AVIF:
        return "AVIF"
    return "HEIF" if brands & _HEIF else "video"
