"""One server of victims, and the workplace of a test's command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .commands import Command
from .launch import ForkServer, fork_server
from .workplace import Workplace


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    with fork_server() as one:
        yield one


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    server: ForkServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Iterator[Workplace]:
    command: Command = request.param
    bundle = request.getfixturevalue("small_bundle") if command.needs_bundle else None
    place = Workplace(server, command, tmp_path, bundle)
    yield place
    for name, count in place.counts.items():
        record_property(name, count)
