"""Every way a photograph takes into the package, and what became of each file there."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.sources import parse_spec, read_sources
from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.open_image import UnreadableImageError
from tests.imaging.images import encode

from .entry import Entry, Right
from .whole import lesion

SIDE = 32
Outcome = tuple[bytes | None, str]  # pixels, or why there are none


@dataclass(frozen=True)
class Folder:
    """A folder with good and broken photographs and a table that names them all."""

    path: Path
    entries: tuple[Entry, ...]
    good: tuple[str, ...]

    @property
    def table(self) -> Path:
        """The table: a line for each good photograph, then one for each entry."""
        return self.path / "table.csv"

    def catalog(self, cache: Path) -> Catalog:
        """Read the table as an archive."""
        spec = parse_spec(f"table={self.table}")
        return build_catalog(read_sources([spec], ReadOptions(cache)))


def fill(path: Path, entries: Iterable[Entry], *, good: int = 8) -> Folder:
    """Write good photographs, entries and the table into a new folder."""
    path.mkdir()
    names = []
    for number in range(good):
        name = f"good_{number}.png"
        (path / name).write_bytes(encode(lesion(100 + number, 96, 80), "PNG"))
        names.append(name)
    # A table in UTF-8 cannot name a file that is not, and drops the blanks around a name.
    named = tuple(e for e in entries if _is_utf8(e.name) and e.name == e.name.strip())
    for entry in named:
        entry.put(path)
    with (path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "path", "target"])
        for row, name in enumerate([*names, *(entry.name for entry in named)]):
            writer.writerow([f"id{row:04d}", name, row % 2])
    return Folder(path, named, tuple(names))


def ids_of(folder: Folder) -> tuple[list[str], dict[str, Entry]]:
    """Return the ids of the good photographs, and each entry by its id."""
    n = len(folder.good)
    good = [f"id{row:04d}" for row in range(n)]
    return good, {f"id{n + row:04d}": entry for row, entry in enumerate(folder.entries)}


def outcome(source: Path | bytes) -> Outcome:
    """Decode, or say why not."""
    try:
        return decode_image(source, SIDE).pixels.tobytes(), ""
    except UnreadableImageError as error:
        return None, error.reason


def is_right(entry: Entry, found: Outcome) -> bool:
    """Whether what became of a file is what its entry says."""
    pixels, reason = found
    if entry.right is Right.EITHER:
        return pixels is not None or bool(reason)
    if pixels is None:
        return entry.right is not Right.READ and entry.says in reason
    if entry.right is Right.REFUSED:
        return False
    return entry.like is None or pixels == outcome(entry.like)[0]


def accounted(entries: dict[str, Entry], unreadable: dict[str, str], absent: Sequence[str]) -> None:
    """Check that each entry is used, refused with a reason or said to be absent."""
    wrong = []
    for name, entry in entries.items():
        is_lost = name in unreadable or name in absent
        if (entry.right is Right.REFUSED and not is_lost) or (
            entry.right is Right.READ and is_lost
        ):
            wrong.append((name, entry.kind, entry.name, unreadable.get(name)))
    assert not wrong
    assert all(reason.strip() for reason in unreadable.values())


def same(pixels: np.ndarray, content: Path) -> bool:
    """Whether pixels of a route are those of the file decoded alone."""
    return pixels.tobytes() == decode_image(content, pixels.shape[0]).pixels.tobytes()


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
