"""SIGTERM and Ctrl-C anywhere: an end within seconds, how to go on, and then the same result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from .commands import AUDIT, BENCHMARK, COMMANDS
from .launch import Ended
from .points import KILLS, evenly
from .workplace import KILLED, Workplace, each

POINTS = MOMENTS = max(2, KILLS // 6)
LONGEST = 10.0
"""Seconds that a command may take to stop, the promise of the package."""
NUMBERS = (signal.SIGTERM, signal.SIGINT)


def check_stopped(ended: Ended, number: int, place: Workplace) -> None:
    """A signal's status, one line that says how to go on, and no other complaint."""
    assert ended.status == 128 + number, (ended.status, ended.stderr)
    lines = [line for line in ended.stderr.splitlines() if line.startswith("melanoscope")]
    assert len(lines) == 1, ended.stderr
    name = signal.Signals(number).name
    assert lines[0].startswith(f"melanoscope: stopped by {name}; to go on from here: melanoscope ")
    assert lines[0].endswith(place.command.words[-1].format(root=place.root))
    assert "Traceback" not in ended.stderr
    place.counts["stopped"] += 1


@pytest.mark.torture
@each(*COMMANDS)
def test_stopped_at_events(place: Workplace) -> None:
    """The main thread gets the signal just before it changes a file."""
    events = place.undisturbed[0].events
    cut = len(place.cut[0].events)
    for turn, at in enumerate(evenly(range(2, len(events)), POINTS)):
        number = NUMBERS[turn % 2]
        place.reset()
        victim = place.start(at=at, signal=number)
        ended = victim.wait()
        # The signal came so many seconds before the end: events after it are part of the end.
        check_stopped(ended, number, place)
        place.finish_and_check(whole=at > cut)


@pytest.mark.torture
@each(*COMMANDS)
def test_stopped_by_the_clock(place: Workplace) -> None:
    """In the midst of decoding, training and exporting, where a library has the main thread."""
    seconds = place.undisturbed[0].seconds
    for turn in range(MOMENTS):
        number = NUMBERS[turn % 2]
        place.reset()
        victim = place.start()
        # Not while Python starts, which the system's own rule ends at once; and not at the very
        # end, which a busy machine may reach earlier than it did before.
        while victim.poll() is None and not place.events():
            time.sleep(0.02)
        begun = time.monotonic() - victim.started
        time.sleep(max(0, 0.9 * seconds - begun) * turn / MOMENTS)
        victim.send(number)
        sent = time.monotonic()
        ended = victim.wait()
        took = round(time.monotonic() - sent, 2)
        assert took < LONGEST
        longest = max(took, place.counts["seconds_to_stop_at_most"])
        place.counts["seconds_to_stop_at_most"] = longest
        if ended.status == 0:
            continue  # it was done by then
        check_stopped(ended, number, place)
        place.finish_and_check(torn=1)


@pytest.mark.torture
@each(AUDIT, BENCHMARK)
def test_a_second_signal_ends_at_once(place: Workplace) -> None:
    seconds = place.cut[0].seconds
    place.reset()
    victim = place.start()
    time.sleep(seconds / 2)
    for _ in range(2):
        victim.send(signal.SIGINT)
        time.sleep(0.05)
    sent = time.monotonic()
    ended = victim.wait()
    assert time.monotonic() - sent < 1
    assert ended.status == 128 + signal.SIGINT
    place.finish_and_check(whole=False, torn=1)


@pytest.mark.torture
@pytest.mark.parametrize("number", NUMBERS)
@each(BENCHMARK)
def test_what_follows_is_not_begun(place: Workplace, number: int) -> None:
    """`benchmark && export` as a shell runs it; Ctrl-C reaches the shell's command, too."""
    place.reset()
    words = [word.format(root=place.root) for word in place.command.words]
    began = place.root / "export began"
    line = f'"$@" && touch "{began}"'
    shell = ["bash", "-c", line, "bash", sys.executable, "-m", "melanoscope.cli", *words]
    environment = {**os.environ, "MELANOSCOPE_CACHE": str(place.root / "cache")}
    with subprocess.Popen(
        shell, start_new_session=True, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (place.root / "run" / "cells").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, number)
        _, error = process.communicate(timeout=LONGEST)
    assert process.returncode in (128 + number, -number)
    assert "to go on from here: melanoscope benchmark" in error
    assert not began.exists()
    assert place.start(to=place.command.until).wait().status == KILLED
