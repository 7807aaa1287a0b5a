"""Files to begin from: the small corpus of broken photographs, tables, records."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

from tests.broken_photographs import small_corpus
from tests.tables.workbooks import write_workbook

from .targets import folder, whole_record

FINDINGS = Path(__file__).parent / "findings"
_MOST = 40_000  # bytes of a seed: the longer, the fewer tries a second
_TABLE = "image,age,sex,site,target\na.jpg,45,female,back,0\nb.jpg,,male,,1\n"


def seeds(target: str) -> Iterator[bytes]:
    """Go through the files that a target begins with."""
    yield from {"decoder": _photographs, "tables": _tables, "bundles": _records}[target]()


def findings(target: str) -> list[Path]:
    """Return the files that once were findings, which are tried first."""
    return sorted((FINDINGS / target).glob("*"))


def write_seeds(target: str, folder: Path) -> None:
    """Write the seeds of a target, each under its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    for content in (*seeds(target), *(path.read_bytes() for path in findings(target))):
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def _photographs() -> Iterator[bytes]:
    for entry in small_corpus():
        if entry.content is not None and len(entry.content) <= _MOST:
            yield entry.content


def _tables() -> Iterator[bytes]:
    for delimiter in ",;\t|":
        yield _TABLE.replace(",", delimiter).encode()
    yield from (_TABLE.encode(code) for code in ("utf-16", "utf-8-sig", "latin-1"))
    yield b"sep=;\n" + _TABLE.replace(",", ";").encode()
    yield _TABLE.replace("a.jpg", '"a ""b""\nc.jpg"').replace("\n", "\r\n").encode()
    yield gzip.compress(_TABLE.encode(), mtime=0)
    rows = [line.split(",") for line in _TABLE.splitlines()]
    yield write_workbook(folder() / "seed.xlsx", {"photographs": rows}).read_bytes()


def _records() -> Iterator[bytes]:
    rng = random.Random(0)
    yield b"\0" + json.dumps(whole_record()).encode()
    yield b"\xff"
    for _ in range(40):
        yield b"\xff" + rng.randbytes(rng.randrange(2, 40))
