"""Too little memory: one line, and a command that goes on where there is enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.forking import Outcome, Runner, expect_one_line

pytestmark = pytest.mark.torture
MIB = 2**20
# What libraries call when they have no memory and no way to say so: they end the process.
ABORTS = {-6, -11, -7, -5, -4}

# Memory runs out at the n-th allocation of PyTorch or NumPy instead of where the limit happens to
# lie: a real limit also ends libraries of C++ and Rust, which nothing can catch.
AT = """
import numpy as np, torch
count = 0
def starve(owner, name, error):
    whole = getattr(owner, name)
    def call(*args, **kwargs):
        global count
        count += 1
        if count == {n}:
            raise error
        return whole(*args, **kwargs)
    setattr(owner, name, call)
starve(torch.nn.functional, "conv2d", RuntimeError(
    "[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory: you tried to "
    "allocate 9999999999 bytes."))
starve(np, "empty", MemoryError())
starve(np, "zeros", MemoryError())
"""


Started = Callable[[str, str], tuple[Outcome, Callable[[], None]]]


@pytest.fixture
def start(
    run: Runner,
    prepared: Prepared,
    undisturbed: Callable[[str], tuple[Any, int, int]],
    tmp_path: Path,
) -> Started:
    """Run a command after some lines of Python; return what became of it, and a check.

    The check starts it again where it was stopped: there is enough memory now, and it ends as one
    that was never disturbed.
    """

    def start(name: str, before: str) -> tuple[Outcome, Callable[[], None]]:
        command, out = COMMANDS[name], tmp_path / "out"
        command.prepare(prepared, out)
        words = command.words(prepared, out, tmp_path / "cache")
        stopped = run(*words, before=before)

        def go_on() -> None:
            assert stopped.status == 0 or run(*words).status == 0
            assert command.result(out) == undisturbed(name)[0]

        return stopped, go_on

    return start


@pytest.mark.parametrize("n", [1, 2, 5, 10, 20, 40, 80])
@pytest.mark.parametrize("name", ["benchmark", "data audit", "report"])
def test_an_allocation_that_fails(start: Started, name: str, n: int) -> None:
    stopped, go_on = start(name, AT.format(n=n))
    if stopped.status != 0:
        expect_one_line(stopped, "memory")
    go_on()


@pytest.mark.parametrize("mib", [30, 60, 120, 250, 500])
@pytest.mark.parametrize("name", ["benchmark", "data audit", "predict --table", "report"])
def test_a_limit_of_memory(start: Started, name: str, mib: int) -> None:
    """A limit beyond what the imports take; what it ends without a word leaves nothing torn."""
    stopped, go_on = start(
        name,
        "import resource\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (size + {mib * MIB},) * 2)",
    )
    if stopped.status not in {0, *ABORTS}:
        expect_one_line(stopped)
    go_on()
