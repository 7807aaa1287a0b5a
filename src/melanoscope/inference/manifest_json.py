"""From the bytes of bundle.json to plain values: strict JSON, its schema's number and its seal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from melanoscope.errors import BundleError
from melanoscope.file_kinds import HEAD, FileKind, detect_file_kind
from melanoscope.inference.manifest import SCHEMA, seal_of

MAX_BYTES = 8 * 2**20
"""Largest bundle.json that is read; those of large archives have some hundred kilobytes."""

MAKE_AGAIN = "copy the bundle again or make it anew"
"""What to do about a bundle that is not whole."""


def parse_record(content: bytes, where: str) -> dict[str, Any]:
    """Read the JSON document of a bundle, and check its schema and its seal.

    Args:
        content: Bytes of bundle.json.
        where: Its place, for errors.

    Returns:
        The document as plain values, among which are neither NaN nor infinity.

    Raises:
        BundleError: No strict JSON, another schema, or a seal that is not of this document.
    """
    kind = detect_file_kind(content[:HEAD])
    if kind is not None and kind is not FileKind.JSON:
        raise BundleError(f"a bundle's record in {where}", str(kind), kind.mend(MAKE_AGAIN))
    try:
        record = _loads(content)
        schema, seal = record["schema"], seal_of(record)
    except _NotStrictError as error:
        raise BundleError(f"a bundle's record in {where}", str(error), MAKE_AGAIN) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise BundleError(f"a bundle's record in {where}", "something else", MAKE_AGAIN) from None
    # True and 2.0 equal numbers, too.
    if type(schema) is not int or schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise BundleError(
            f"a bundle of schema {SCHEMA}",
            f"schema {_short(schema)} in {where}",
            "update melanoscope" if newer else "make the bundle anew",
        )
    if record.get("seal") != seal:
        raise BundleError(f"{where} as it was exported", "a changed record", MAKE_AGAIN)
    return record


class _NotStrictError(ValueError):
    """What JSON forbids and Python's reader lets pass, or what readers disagree about."""


def _loads(content: bytes) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(
        content, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_key_twice
    )
    return record


def _no_constant(word: str) -> float:
    raise _NotStrictError(f"the number {word}")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _NotStrictError(f"the number {_short(digits)}")
    return value


def _no_key_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # Of a key that stands twice one reader takes the first and another the last.
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _NotStrictError(f"the key {_short(twice)} twice")
    return record


def _short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # more digits, or deeper, than Python writes
        return f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}..."
