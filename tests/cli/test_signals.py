"""A command that is told to stop stops, says how to go on, and never says that it is done."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import pytest

# Each body stands for what a library does with an exception, or with the main thread.
RAISES = "time.sleep(60)"
SWALLOWS = """
try:
    time.sleep(60)
except BaseException:
    pass
"""
SWALLOWS_AND_GOES_ON = """
try:
    time.sleep(60)
except BaseException:
    time.sleep(60)
"""
IN_A_LOOP_OF_ITS_OWN = """
while True:
    try:
        time.sleep(0.05)
    except BaseException:
        pass
"""


def stopped(body: str, number: int, *, again: bool = False) -> tuple[int, str, float]:
    program = f"""
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored, which would be kept
sys.argv = ["melanoscope", "benchmark", "--out", "a b"]
import importlib
from melanoscope.cli import signals
module = importlib.import_module("melanoscope.cli.app")
signals.GRACE_SECONDS = 1.0
def app():
    print("ready", flush=True)
{textwrap.indent(textwrap.dedent(body), "    ")}
module.app = app
module.main()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    process.send_signal(number)
    if again:
        time.sleep(0.2)
        process.send_signal(number)
    _, error = process.communicate(timeout=20)
    return process.returncode, error, time.monotonic() - started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_with_its_status_and_the_command_to_go_on(number: int) -> None:
    status, error, _ = stopped(RAISES, number)
    assert status == 128 + number
    assert error == (
        f"melanoscope: stopped by {signal.Signals(number).name}; "
        "to go on from here: melanoscope benchmark --out 'a b'\n"
    )


@pytest.mark.parametrize("body", [SWALLOWS, SWALLOWS_AND_GOES_ON, IN_A_LOOP_OF_ITS_OWN])
def test_what_swallows_the_exception_does_not_end_with_success(body: str) -> None:
    status, error, seconds = stopped(body, signal.SIGTERM)
    assert status == 143
    assert "stopped by SIGTERM" in error
    assert seconds < 10


def test_a_second_signal_ends_at_once() -> None:
    status, _, seconds = stopped(IN_A_LOOP_OF_ITS_OWN, signal.SIGINT, again=True)
    assert status == 130
    assert seconds < 1
