"""What a Parquet table becomes in memory, read from its metadata before a value is decoded.

A few hundred bytes of Parquet may stand for 10^9 rows, or for a page of gigabytes of zeros. What a
reader sets aside follows from the heads of the pages, so that these are added up; the footer could
state less.

Source: Apache Parquet, parquet.thrift; Apache Thrift, compact protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from melanoscope.errors import DataError, MelanoscopeError

MAX_BYTES = 4 * 2**30
"""Largest table in memory: some 30 million rows of predictions."""

_BYTES_PER_VALUE = 16  # of a text, beside its characters; numbers take half
_MAX_FOOTER = 16 * 2**20
_MAX_PAGE_HEAD = 2**16
_MAX_PAGES = 200_000  # of one file: a head takes some 20 microseconds to read
_MAGIC = b"PAR1"
_DEEP = 16

# Fields by their numbers in parquet.thrift.
_ROW_GROUPS, _GROUP_COLUMNS, _GROUP_ROWS, _COLUMN = 4, 1, 3, 3
_PATH, _COMPRESSED, _DATA_OFFSET, _DICTIONARY_OFFSET = 3, 7, 9, 11
_PAGE_UNCOMPRESSED, _PAGE_COMPRESSED, _PAGE_HEADS, _PAGE_VALUES = 2, 3, (5, 7, 8), 1


class _Thrift:
    """Structures of Thrift's compact protocol, as mappings of a field's number to its value."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.place = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > _DEEP:
            raise ValueError("structures that are nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int, *, in_list: bool = False) -> Any:
        if kind in (1, 2):  # a truth value: of a field its kind says which, in a list a byte
            return self._byte() == 1 if in_list else kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind == 7:
            return self._take(8)
        if kind == 8:
            return self._take(self._unsigned())
        if kind in (9, 10):
            head = self._byte()
            n = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15, depth + 1, in_list=True) for _ in range(n)]
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError(f"a value of kind {kind}")

    def _take(self, n: int) -> bytes:
        taken = self._content[self.place : self.place + n]
        if len(taken) < n:
            raise ValueError("metadata that end too early")
        self.place += n
        return taken

    def _byte(self) -> int:
        return self._take(1)[0]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number without end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)


def refuse_large_parquet(
    path: Path,
    columns: Collection[str],
    max_bytes: int = MAX_BYTES,
    error: type[MelanoscopeError] = DataError,
) -> None:
    """Refuse a Parquet file whose `columns` would take more than `max_bytes` of memory.

    Args:
        path: The file.
        columns: Names of the columns that will be read; others cost nothing.
        max_bytes: Largest sum of their pages' content and 16 bytes a value.
        error: What is raised; a run folder's reader says that it is the run's.

    Raises:
        MelanoscopeError: `error`: they take more, or the metadata cannot be read.
        OSError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            n_bytes = _bytes_in_memory(file, columns)
    except (ValueError, TypeError, LookupError, AttributeError) as why:
        found = f"'{path}' (metadata that cannot be read: {why})"
        raise error("a Parquet file", found, "write it again") from None
    if n_bytes > max_bytes:
        raise error(
            f"a Parquet table of at most {max_bytes / 2**30:g} GiB in memory",
            f"'{path}', which takes {n_bytes / 2**30:,.1f} GiB",
            "check its origin",
        )


def _bytes_in_memory(file: BinaryIO, columns: Collection[str]) -> int:
    n_bytes = n_pages = 0
    for group in _read_footer(file).get(_ROW_GROUPS, []):
        for chunk in group[_GROUP_COLUMNS]:
            column = chunk[_COLUMN]
            if column[_PATH][0].decode("utf-8", "replace") not in columns:
                continue
            pages, n_values, content = _chunk_size(file, column, _MAX_PAGES - n_pages)
            n_pages += pages
            n_bytes += max(n_values, group[_GROUP_ROWS]) * _BYTES_PER_VALUE + content
    return n_bytes


def _read_footer(file: BinaryIO) -> dict[int, Any]:
    end = file.seek(0, 2)
    file.seek(max(0, end - 8))
    tail = file.read(8)
    if len(tail) < 8 or tail[4:] != _MAGIC:
        raise ValueError("no footer")
    (n_bytes,) = struct.unpack("<I", tail[:4])
    if n_bytes > min(_MAX_FOOTER, end - 8):
        raise ValueError(f"a footer of {n_bytes:,} bytes")
    file.seek(end - 8 - n_bytes)
    return _Thrift(file.read(n_bytes)).structure()


def _chunk_size(file: BinaryIO, column: Mapping[int, Any], max_pages: int) -> tuple[int, int, int]:
    """Return how many pages a column has in one group of rows, their values and their bytes."""
    start = column.get(_DICTIONARY_OFFSET, column[_DATA_OFFSET])
    end = start + column[_COMPRESSED]
    if start < 0:
        raise ValueError("a page before the file")
    pages = n_values = n_bytes = 0
    while start < end:
        if pages == max_pages:
            raise ValueError(f"more than {_MAX_PAGES:,} pages")
        file.seek(start)
        thrift = _Thrift(file.read(_MAX_PAGE_HEAD))
        head = thrift.structure()
        if min(head[_PAGE_UNCOMPRESSED], head[_PAGE_COMPRESSED]) < 0:
            raise ValueError("a page of a negative size")
        start += thrift.place + head[_PAGE_COMPRESSED]
        n_bytes += head[_PAGE_UNCOMPRESSED]
        n_values += sum(max(0, head.get(kind, {}).get(_PAGE_VALUES, 0)) for kind in _PAGE_HEADS)
        pages += 1
    return pages, n_values, n_bytes
