"""Changes of a JSON document that bytes decide on: the same bytes, the same change."""

from __future__ import annotations

import copy
import json
from typing import Any

STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**24, 10**400, 0.5, -0.0, 1e308, 1e-320),
    *(float("nan"), float("inf"), -float("inf"), "", " ", "0", "nan", "\x00", "\ud800", "\u202e"),
    *("../x", "/etc/passwd", "model.onnx", "a" * 1000, "<b>", "=1+1", "\x1b[2J"),
    *([], {}, [[]], [None], {"": None}, [0.5] * 3, [1, 2, 3, 4], {"file": "x"}, {"why": "x"}),
)


class Choices:
    """Reads numbers and text from bytes, and zeros behind their end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def below(self, count: int) -> int:
        """Return a number from 0 to `count` - 1."""
        size = 1 if count <= 256 else 2
        part = self.data[self.place : self.place + size]
        self.place += size
        return int.from_bytes(part, "big") % max(count, 1)

    def rest(self) -> bytes:
        """Return up to 40 bytes."""
        size = self.below(41)
        part = self.data[self.place : self.place + size]
        self.place += size
        return part

    @property
    def has_more(self) -> bool:
        """Whether bytes are left."""
        return self.place < len(self.data)


def changed_record(record: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Change some values of a document as bytes say."""
    changed = copy.deepcopy(record)
    choices = Choices(data)
    for _ in range(8):
        if not choices.has_more:
            break
        _change(changed, choices)
    return changed


def _change(record: dict[str, Any], choices: Choices) -> None:
    inside: Any = record
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            return
        key = keys[choices.below(len(keys))]
        is_leaf = not isinstance(inside[key], dict | list) or not inside[key]
        if is_leaf or choices.below(4) == 0:
            break
        inside = inside[key]
    how = choices.below(8)
    if how == 0:
        del inside[key]
    elif how == 1 and isinstance(inside, dict):
        inside[choices.rest().decode("utf-8", "replace")] = inside.pop(key)
    elif how == 2:
        inside[key] = _text(choices.rest())
    elif how == 3 and isinstance(inside[key], float):
        inside[key] = inside[key] * (-1, 0, 1e6, 1e-9)[choices.below(4)]
    else:
        inside[key] = copy.deepcopy(STRANGE[choices.below(len(STRANGE))])


def _text(part: bytes) -> Any:
    try:
        return json.loads(part)
    except ValueError:
        return part.decode("utf-8", "surrogateescape")
