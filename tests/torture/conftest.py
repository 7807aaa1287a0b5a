"""One server of victims for all tests of kills."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .kills.launch import ForkServer, fork_server


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    with fork_server() as one:
        yield one
