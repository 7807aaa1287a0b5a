"""Errors reach the parent of a process, whatever they are made of."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from melanoscope.errors import BundleError, DataError, MelanoscopeError, StatisticsError
from melanoscope.imaging.unreadable import TooManyPixelsError, UnreadableImageError
from melanoscope.locks import LockedError


@pytest.mark.parametrize(
    "error",
    [
        MelanoscopeError("a", "b", "c"),
        DataError("a", "b", "c"),
        BundleError("a", "b", "c"),
        StatisticsError("a", "b", "c"),
        LockedError("a", "b", "c"),
        UnreadableImageError(Path("x.jpg"), "torn"),
        TooManyPixelsError(None, "8000 x 6000 pixels", 48_000_000, 1),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_sent_to_another_process(error: MelanoscopeError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - written a moment ago
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
