"""Finds where the rows of an uncompressed picture stop in the middle of one and zeros follow.

What was never written of a file reads as zeros, which are black pixels like any others. But the
edge of a picture's black border, of a lens or of a mask runs between rows or along a shape; none
leaves one row black from its middle on under a row that is not, and everything below it black.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Pixels beside the tear, and of the row before it, that tell of a picture rather than of a border.
_FEWEST = 2
_MOSTLY = 0.95


def stops_within_a_row(data: bytes, stride: int, pixel: int, width: int) -> bool:
    r"""Say whether `data`, rows as a file orders them, ends in zeros that begin within a row.

    Args:
        data: Rows without a gap; the last one may lack its padding.
        stride: Bytes of a row, padding included.
        pixel: Bytes of a pixel; 1 where several share a byte.
        width: Pixels of a row, or bytes where several pixels share one.

    Returns:
        True where at least one whole row of zeros follows on a row that stops; a picture that
        stops within its last row cannot be told from one whose corner is black.

    >>> row = b"\x50" * 60
    >>> stops_within_a_row(row * 9 + row[:30] + bytes(90), 60, 3, 20)
    True
    >>> stops_within_a_row(row * 10 + bytes(120), 60, 3, 20)
    False
    """
    end = len(data.rstrip(b"\0"))
    row, last = divmod(end - 1, stride)
    first_black = last // pixel + 1  # the pixel after the last that is not
    if end == 0 or first_black < _FEWEST or width - first_black < _FEWEST:
        return False
    if len(data) < (row + 2) * stride - (stride - width * pixel):
        return False
    here = _lit(data, row, stride, pixel, width)
    if here[first_black - _FEWEST : first_black].mean() < _MOSTLY:
        return False
    if row == 0:
        return True
    above = _lit(data, row - 1, stride, pixel, width)
    return bool(above[first_black:].mean() >= _MOSTLY and above[-_FEWEST:].all())


def _lit(data: bytes, row: int, stride: int, pixel: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels of a row are not zero, shape (width,)."""
    values = np.frombuffer(data, np.uint8, width * pixel, row * stride)
    lit: NDArray[np.bool_] = values.reshape(width, pixel).max(axis=1) > 0
    return lit
