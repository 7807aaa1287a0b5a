"""What a command leaves: every file below a folder, without dates and times."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Outcome = dict[str, str]
"""File, below the folder -> hash of what has to be equal to the bit."""

# When, how fast and on how many cores, in the JSON documents that the package writes; where it went
# on; what follows from these: a bundle's entries of its model card, and its seal.
_VOLATILE = {"created", "cores", "resumed", "resumed_after", "seconds"}
_VOLATILE |= {"variants", "seal", "MODEL_CARD.md"}
# These show a date or a speed; that they are there is compared.
_SHOWN = re.compile(r"MODEL_CARD\.md$|(^|/)run/report/index\.html$")
# Whoever waits makes a lock file, and leaves it.
_PASSING = re.compile(r"(^|/)\.?[\w.-]*lock(\.holder)?$")


def outcome_of(folder: Path, without: Sequence[str] = ()) -> Outcome:
    """Return what is in a folder, but for files whose names begin as one of `without`.

    Args:
        folder: Folder that a command wrote to.
        without: Beginnings of names, below the folder.

    Returns:
        The outcome.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _PASSING.search(name) and not name.startswith(tuple(without)):
            found[name] = "" if _SHOWN.search(name) else _hash(path)
    return found


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """Return one line for each file that is not what it should be."""
    lines = [f"absent: {name}" for name in sorted(expected.keys() - found.keys())]
    lines += [f"left: {name}" for name in sorted(found.keys() - expected.keys())]
    both = sorted(expected.keys() & found.keys())
    return lines + [f"differs: {name}" for name in both if expected[name] != found[name]]


def _hash(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".json":
        content = json.dumps(_lasting(json.loads(content))).encode()
    return hashlib.sha256(content).hexdigest()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(one) for key, one in value.items() if key not in _VOLATILE}
    return [_lasting(one) for one in value] if isinstance(value, list) else value
