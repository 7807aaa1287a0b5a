"""What a run folder knows of its own files, so that a torn or changed one is never taken for whole.

Records are made when files are written, stand in run.json and in each cell's done.json, and are
compared before a file is read again. They find damage, not malice: who changes a file can record it
anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from melanoscope.data.content_hash import file_hash

FileRecords = dict[str, dict[str, Any]]
"""Name of a file -> its size in "bytes" and its "xxh3" (128 bits, hexadecimal)."""


def record_files(folder: Path, names: Iterable[str]) -> FileRecords:
    """Record the files of `folder` that are called `names`; those that are not there are left out.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "a.csv").write_text("1")
    >>> records = record_files(folder, ["a.csv", "b.csv"])
    >>> records["a.csv"]["bytes"], sorted(records)
    (1, ['a.csv'])
    >>> find_damage(folder, records, ["a.csv"])
    >>> _ = (folder / "a.csv").write_text("2")
    >>> find_damage(folder, records, ["a.csv"])
    'a.csv: changed or damaged'
    """
    return {
        name: {"bytes": (folder / name).stat().st_size, "xxh3": file_hash(folder / name)}
        for name in names
        if (folder / name).is_file()
    }


def identity_hash(identity: Mapping[str, Any]) -> str:
    """Return the sha256 of what tells a run, or a training, from all others: plain values."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def find_damage(folder: Path, records: Any, names: Iterable[str]) -> str | None:
    """Compare the files of `folder` called `names` with their `records`.

    Args:
        folder: Folder of the files.
        records: What `record_files` returned, as it was read from JSON.
        names: Files that must be whole.

    Returns:
        What is wrong with the first that is not as it was recorded, or None.
    """
    known = records if isinstance(records, Mapping) else {}
    for name in names:
        if name not in known or not isinstance(known[name], Mapping):
            return f"{name}: not recorded"
        found = record_files(folder, [name]).get(name)
        if found is None:
            return f"{name}: no file"
        if found["bytes"] != known[name].get("bytes"):
            return f"{name}: {found['bytes']} of {known[name].get('bytes')} bytes"
        if found["xxh3"] != known[name].get("xxh3"):
            return f"{name}: changed or damaged"
    return None
