"""The sha256 of files: of bundles, tables and weights, as their makers write it."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, read in pieces.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "empty"
    >>> path.touch()
    >>> file_sha256(path)[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
