"""A clock that jumps by years, backwards, or with each look: nothing hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.forking import Runner

pytestmark = pytest.mark.torture

CLOCKS = {
    "years ahead": "now + 10 * 365 * 86400",
    "1970": "0.0",
    "backwards": "now - 3600 * next(looks)",
    "to and fro": "now + (-1) ** next(looks) * 86400 * 30",
}
# What is written gets odd times too, as on a server whose clock is wrong.
CLOCK = """
import itertools, os, time
looks, whole, replace = itertools.count(1), time.time, os.replace
def jumping():
    now = whole()
    return {clock}
time.time = jumping
def aged(source, target, **words):
    os.utime(source, (0, max(jumping(), 0)))
    replace(source, target, **words)
os.replace = aged
"""


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("name", ["benchmark", "data audit", "predict --table", "report"])
def test_a_clock_that_jumps(
    run: Runner,
    prepared: Prepared,
    undisturbed: Callable[[str], tuple[Any, int, int]],
    tmp_path: Path,
    name: str,
    clock: str,
) -> None:
    command, out = COMMANDS[name], tmp_path / "out"
    command.prepare(prepared, out)
    before = CLOCK.format(clock=CLOCKS[clock])
    words = command.words(prepared, out, tmp_path / "cache")
    ended = run(*words, before=before)
    assert ended.status == 0, ended.err
    assert command.result(out) == undisturbed(name)[0]
    if name == "benchmark":
        again = run(*words)  # with the right clock again: the same run, and nothing trained anew
        assert again.status == 0, again.err
        assert "AUROC" not in again.err
        assert command.result(out) == undisturbed(name)[0]
