"""What the faults are tried on: made once, undisturbed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.disks import used_kib
from tests.torture.faults.forking import Outcome, Runner


@pytest.fixture(scope="session")
def run() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


def succeed(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, outcome.err
    return outcome


@pytest.fixture(scope="session")
def prepared(run: Runner, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    place = tmp_path_factory.mktemp("prepared")
    made = Prepared(place / "run", place / "bundle", place / "table.csv", place / "cache")
    succeed(run(*COMMANDS["benchmark"].words(made, made.run, made.cache)))
    succeed(run(*COMMANDS["train"].words(made, made.bundle, made.cache)))
    photographs = sorted(made.cache.glob("simulated-60-*/*.jpg"))
    with made.table.open("w", newline="") as file:
        csv.writer(file).writerows([["photograph"], *([p] for p in photographs * 3)])
    return made


@pytest.fixture(scope="session")
def undisturbed(
    run: Runner, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Any, int, int]]:
    """What a command gives where nothing goes wrong, and the KiB of its disk before and after."""

    @cache
    def find(name: str) -> tuple[Any, int, int]:
        command, place = COMMANDS[name], tmp_path_factory.mktemp("undisturbed")
        folders = {"out": place / "out-disk", "cache": place / "cache-disk"}
        for folder in folders.values():
            folder.mkdir()
        out = folders["out"] / "out"
        command.prepare(prepared, out)
        before = used_kib(folders[command.disk])
        succeed(run(*command.words(prepared, out, folders["cache"])))
        return command.result(out), before, used_kib(folders[command.disk])

    return find
