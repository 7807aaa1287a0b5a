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
EXAMPLES = 20_000
_LONG = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    read = []

    @_LONG
    @given(table=written_tables())
    def check(table: Written) -> None:
        read.append(check_written(tmp_path, table))

    check()
    assert sum(read) > 0.8 * len(read)  # refusing everything would be right, too


def test_damage_is_said_in_one_line(tmp_path: Path) -> None:
    read = []

    @_LONG
    @given(content=damaged_tables())
    def check(content: bytes) -> None:
        read.append(check_damaged(tmp_path, content))

    check()
    assert 0.1 * len(read) < sum(read) < 0.95 * len(read)
