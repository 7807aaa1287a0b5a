"""Limits are limits."""

from __future__ import annotations

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.service.settings import Settings


@pytest.mark.parametrize("limit", ["queue", "workers", "request_bytes", "answer_seconds"])
def test_limits_are_above_0(limit):
    for value in (0, -1, float("nan")):
        with pytest.raises(MelanoscopeError, match="above 0"):
            Settings(**{limit: value})
