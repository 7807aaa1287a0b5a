"""Colour profiles put together by hand from published numbers (ICC.1:2022)."""

from __future__ import annotations

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Adapted to D50, as the profiles of phones and monitors state them.
DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def srgb_curve() -> bytes:
    """IEC 61966-2-1 as a parametric curve."""
    return b"para\0\0\0\0\0\3\0\0" + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def table_curve() -> bytes:
    """The same as most files have it: 1,024 values."""
    level = np.arange(1024) / 1023
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return (
        b"curv\0\0\0\0" + struct.pack(">I", 1024) + np.rint(light * 65535).astype(">u2").tobytes()
    )


def power_curve(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(exponent * 256), 0)


def description(text: str) -> bytes:
    body = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(body)) + body + b"\0" * 78


def profile(space: bytes, pcs: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr") -> bytes:
    place, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"test", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _fixed(*D50)
    return head.ljust(128, b"\0") + table + body


def rgb_profile(colorants, curve: bytes, text: str = "by hand") -> bytes:
    tags = {b"desc": description(text), b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(D50)}
    for name, colorant in zip((b"r", b"g", b"b"), colorants, strict=True):
        tags |= {name + b"XYZ": xyz(colorant), name + b"TRC": curve}
    return profile(b"RGB ", b"XYZ ", tags)


def grey_profile(exponent: float) -> bytes:
    tags = {b"desc": description("grey"), b"wtpt": xyz(D50), b"kTRC": power_curve(exponent)}
    return profile(b"GRAY", b"XYZ ", tags)


def press_profile(corners: np.ndarray) -> bytes:
    """Four inks, each there or not there.

    Args:
        corners: Shape (2, 2, 2, 2, 3): CIELAB (D50) of paper under cyan, magenta, yellow, black.
    """
    same = bytes(range(256))
    lab = np.rint(corners * (2.55, 1, 1) + (0, 128, 128)).astype(np.uint8)
    table = b"mft1\0\0\0\0\4\3\2\0" + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += same * 4 + lab.tobytes() + same * 3
    tags = {b"desc": description("press"), b"wtpt": xyz(D50), b"A2B0": table}
    return profile(b"CMYK", b"Lab ", tags, b"prtr")
