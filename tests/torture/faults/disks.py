"""Small disks: a tmpfs of a given size, where this user may mount one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@contextmanager
def disk(place: Path, kib: int, *options: str) -> Iterator[Path]:
    """Mount a disk of `kib` at `place` within the block."""
    place.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", ",".join([f"size={max(kib, 4)}k", *options]), "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def remount(place: Path, options: str) -> None:
    """Change a mounted disk: its size, or "ro"."""
    _mount("-o", f"remount,{options}", place)


def used_kib(folder: Path) -> int:
    """Return how much of a disk is used below a folder."""
    return sum(4 * (1 + p.lstat().st_size // 4096) for p in (folder, *folder.rglob("*")))


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)


@cache
def may_mount() -> bool:
    """Whether this user may mount a disk."""
    with TemporaryDirectory() as folder:
        try:
            with disk(Path(folder), 4):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


needs_mounts = pytest.mark.skipif(
    "not __import__('tests.torture.faults.disks', fromlist=['x']).may_mount()",
    reason="this user may not mount a disk",
)
