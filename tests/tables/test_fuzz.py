"""Tables from Hypothesis: read as they were written, or refused in one line; no row is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from .fuzz import Written, check_damaged, check_written, damaged_tables, written_tables

EXAMPLES = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=EXAMPLES, deadline=None)
@given(table=written_tables())
def test_what_was_written_is_read(folder: Path, table: Written) -> None:
    check_written(folder, table)


@settings(max_examples=EXAMPLES, deadline=None)
@given(content=damaged_tables())
def test_damage_is_said_in_one_line(folder: Path, content: bytes) -> None:
    check_damaged(folder, content)
