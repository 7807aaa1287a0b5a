"""Parquet files of a few hundred bytes that stand for any number of rows."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import polars as pl

_INT64, _DOUBLE, _TEXT = 2, 5, 6  # physical types
_PLAIN, _RLE_DICTIONARY = 0, 8
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12  # kinds of Thrift's compact protocol

Field = tuple[int, int, Any]
"""A field of a Thrift structure: its number, the kind of its value and the value."""


def constant_parquet(
    schema: Mapping[str, pl.DataType],
    rows: int,
    *,
    page_bytes: int | None = None,
    text: bytes = b"a",
) -> bytes:
    """Return a table of `rows` equal rows.

    Args:
        schema: Names and types of the columns.
        rows: Number of rows.
        page_bytes: What the pages claim to unpack to; None for the truth.
        text: Value of the columns of texts.

    Returns:
        The file.
    """
    body, chunks = b"PAR1", []
    for name, dtype in schema.items():
        kind, value = _physical(dtype, text)
        start = len(body)
        body += _page(2, value, (7, _STRUCT, [(1, _I32, 1), (2, _I32, _PLAIN)]), page_bytes)
        data = len(body)
        heads = [(1, _I32, rows), (2, _I32, _RLE_DICTIONARY), (3, _I32, 3), (4, _I32, 3)]
        run = b"\x01" + _varint(rows << 1) + b"\x00"  # one bit a value; all are the first
        body += _page(0, run, (5, _STRUCT, heads), page_bytes)
        chunks.append(_chunk(name, kind, rows, (start, data, len(body))))
    group = [(1, _LIST, (_STRUCT, chunks)), (2, _I64, 99), (3, _I64, rows)]
    elements = [[(4, _BINARY, b"schema"), (5, _I32, len(schema))]]
    for name, dtype in schema.items():
        kind = _physical(dtype, text)[0]
        utf8 = [(6, _I32, 0)] if kind == _TEXT else []
        elements.append([(1, _I32, kind), (3, _I32, 0), (4, _BINARY, name.encode()), *utf8])
    footer = _struct(
        [
            (1, _I32, 1),
            (2, _LIST, (_STRUCT, elements)),
            (3, _I64, rows),
            (4, _LIST, (_STRUCT, [group])),
        ]
    )
    return body + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _physical(dtype: pl.DataType, text: bytes) -> tuple[int, bytes]:
    """Return the physical type of a column, and one value as PLAIN."""
    if dtype == pl.String:
        return _TEXT, struct.pack("<I", len(text)) + text
    return (_DOUBLE, struct.pack("<d", 0.5)) if dtype == pl.Float64 else (_INT64, bytes(8))


def _page(kind: int, content: bytes, head: Field, claimed: int | None) -> bytes:
    size = len(content)
    fields = [(1, _I32, kind), (2, _I32, size if claimed is None else claimed), (3, _I32, size)]
    return _struct([*fields, head]) + content


def _chunk(name: str, kind: int, rows: int, places: tuple[int, int, int]) -> list[Field]:
    start, data, end = places
    column: list[Field] = [
        (1, _I32, kind),
        (2, _LIST, (_I32, [_PLAIN, _RLE_DICTIONARY])),
        (3, _LIST, (_BINARY, [name.encode()])),
        (4, _I32, 0),
        (5, _I64, rows),
        (6, _I64, end - start),
        (7, _I64, end - start),
        (9, _I64, data),
        (11, _I64, start),
    ]
    return [(2, _I64, start), (3, _STRUCT, column)]


def _struct(fields: list[Field]) -> bytes:
    content, before = b"", 0
    for number, kind, value in fields:
        content += bytes([(number - before) << 4 | kind]) + _value(kind, value)
        before = number
    return content + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind in (_I32, _I64):
        return _varint(value << 1)
    if kind == _BINARY:
        return _varint(len(value)) + value
    if kind == _STRUCT:
        return _struct(value)
    inner, values = value
    size = bytes([len(values) << 4 | inner] if len(values) < 15 else [0xF0 | inner])
    if len(values) >= 15:
        size += _varint(len(values))
    return size + b"".join(_value(inner, one) for one in values)


def _varint(value: int) -> bytes:
    content = b""
    while value > 127:
        content += bytes([value & 127 | 128])
        value >>= 7
    return content + bytes([value])
