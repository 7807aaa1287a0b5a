"""The long form of `tests/tables/test_fuzz.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.tables.fuzz import (
    Written,
    check_damaged,
    check_written,
    damaged_tables,
    written_tables,
)

pytestmark = pytest.mark.torture
EXAMPLES = 10_000
_LONG = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def test_what_was_written_is_read(tmp_path: Path, record_property) -> None:
    read = []

    @_LONG
    @given(table=written_tables())
    def check(table: Written) -> None:
        read.append(check_written(tmp_path, table))

    check()
    record_property("tables", len(read))
    record_property("tables_read", sum(read))
    # Refusing everything would be right, too. Measured: 96 % of 400.
    assert sum(read) > 0.9 * len(read)


def test_damage_is_said_in_one_line(tmp_path: Path, record_property) -> None:
    read = []

    @_LONG
    @given(content=damaged_tables())
    def check(content: bytes) -> None:
        read.append(check_damaged(tmp_path, content))

    check()
    record_property("tables", len(read))
    record_property("tables_read", sum(read))
    # Measured: 31 % of 400.
    assert 0.2 * len(read) < sum(read) < 0.45 * len(read)
