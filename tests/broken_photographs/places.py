"""What lies in a folder under the name of a photograph and is none, or has a strange name."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.imaging.images import encode

from .entry import Entry, Right
from .whole import SUFFIXES, lesion, whole_files

SPARSE = 3 * 2**30
NAMES = {
    "newline": "a\nb.jpg",
    "return": "a\rok.jpg",
    "escape": "a\x1b[2Jb.jpg",
    "bell": "a\x07.jpg",
    "bidi": "a\u202egpj.jpg",
    "not UTF-8": os.fsdecode(b"caf\xe9.jpg"),
    "half": os.fsdecode(b"\xf0\x9f\x94.jpg"),
    "markup": "<img src=x onerror=alert(1)>.jpg",
    "formula": "=cmd|'calc'!A1.jpg",
    "quotes": "a\"b'c.jpg",
    "percent": "%s%n%00.jpg",
    "dashes": "--help.jpg",
    "spaces": " a b .jpg",
    "long": "a" * 240 + ".jpg",
    "dot": ".hidden.jpg",
    "math": r"$\frac$.jpg",
}


def places(seed: int) -> Iterator[Entry]:
    """Go through pipes, links, folders, sparse files, and names that a terminal would obey."""
    made: dict[str, tuple[Callable[[Path], None], str]] = {
        "pipe.jpg": (lambda path: os.mkfifo(path), "no ordinary file"),
        "folder.jpg": (lambda path: path.mkdir(), "a folder"),
        "ring.jpg": (lambda path: path.symlink_to(path.name), "symbolic links"),
        "dangling.jpg": (lambda path: path.symlink_to("nowhere"), "no file"),
        "nothing.jpg": (lambda path: path.symlink_to("/dev/null"), "no ordinary file"),
        "endless.jpg": (lambda path: path.symlink_to("/dev/zero"), "no ordinary file"),
        "socket.jpg": (_socket, "no ordinary file"),
    }
    for name, (make, says) in made.items():
        yield Entry("no file", name, Right.REFUSED, make=make, says=says)
    for name, (kind, content) in whole_files(seed).items():
        file = f"sparse-{name}.{SUFFIXES[kind]}"
        yield Entry("sparse", file, Right.REFUSED, make=_sparse(content[:200]), says="bytes")
    whole = encode(lesion(seed, 80, 60), "JPEG")
    for name in NAMES.values():
        yield Entry("strange name", name, Right.READ, whole, whole)
        broken = name.replace(".jpg", "2.jpg")[-245:]
        yield Entry("strange name", broken, Right.REFUSED, whole[:300], says="truncated")


def _sparse(head: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, SPARSE)

    return make


def _socket(path: Path) -> None:
    # The name of a socket may have some 100 bytes.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(before)
