"""The rows that every drawn archive holds: ids, and which are melanomas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Photograph = Callable[[Path, int], Path]
"""Writes a photograph of its own content at a path."""


N = 12


IDS = [f"ISIC_{7 * i:07d}" for i in range(N)]


MELANOMA_NODE = "Malignant melanocytic proliferations (Melanoma)"


def is_melanoma(i: int) -> bool:
    return i % 3 == 0


def pick(i: int, melanoma: str, *others: str) -> str:
    return melanoma if is_melanoma(i) else others[i % len(others)]
