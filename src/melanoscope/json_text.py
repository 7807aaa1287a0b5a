"""JSON as its standard has it (RFC 8259), for every document that leaves the program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(value: Any, *, indent: int | None = None) -> str:
    r"""Write plain values as JSON that every reader takes and no terminal obeys.

    Args:
        value: Maps with names, lists, texts, numbers, truth values and None.
        indent: Spaces of each level; None for one line.

    Returns:
        The document. A number that is NaN or infinite, which JSON does not have, is null; letters
        of all languages stand as they are, characters that act instead of being read are escaped.

    >>> json_text({"share": float("nan"), "name": "Ä" + chr(0x9B)})
    '{"share": null, "name": "Ä\\u009b"}'
    """
    text = json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]  # ASCII, in two halves beyond 16 bits
