"""SIGTERM under 32 clients, 20 times."""

from __future__ import annotations

import pytest

from tests.service.stopping import check, stopped_under_load

pytestmark = pytest.mark.torture


@pytest.mark.parametrize("turn", range(20))
def test_nothing_that_was_received_is_without_an_answer(tmp_path, turn):
    check(stopped_under_load(tmp_path, seconds=0.5 + turn * 0.05))
