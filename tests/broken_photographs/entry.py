"""One file of the corpus, and what is right of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Right(Enum):
    """What must become of a file."""

    READ = "read, with the pixels of the whole file where one is named"
    REFUSED = "refused with a reason"
    TORN = "refused, or read with the pixels of the whole file: never with others"
    EITHER = "refused or read: what is broken cannot be told from a picture"


@dataclass(frozen=True, eq=False)
class Entry:
    """A file.

    Attributes:
        kind: Group of entries, "cut off".
        name: Name of the file; not always UTF-8.
        right: What must become of it.
        content: Its bytes; None where `make` makes it.
        like: The whole file, whose pixels are the right ones.
        says: Part of the reason why it is refused; "" for any.
        make: Makes what is no ordinary file at a path.
    """

    kind: str
    name: str
    right: Right
    content: bytes | None = None
    like: bytes | None = None
    says: str = ""
    make: Callable[[Path], None] | None = None

    def put(self, folder: Path) -> Path:
        """Write the file into a folder and return its path."""
        path = folder / self.name
        if self.make is not None:
            self.make(path)
        else:
            path.write_bytes(self.content or b"")
        return path
