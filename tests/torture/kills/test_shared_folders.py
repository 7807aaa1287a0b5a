"""Two processes on one cache or one run folder, one of them stopped or killed meanwhile."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator

import pytest

from .commands import AUDIT, BENCHMARK, PREDICT, Command
from .launch import Ended, Victim
from .outcome import Outcome, outcome_of
from .points import KILLS, evenly
from .workplace import KILLED, Workplace, each

POINTS = max(2, KILLS // 2)
_WAITS = 1.5  # seconds after which a process without a lock would long have gone on


def other_words(command: Command) -> list[str]:
    """The same command with an --out of its own."""
    return [*command.words[:-1], f"{command.words[-1]}-2"]


def of_cache(events: list[tuple[str, str]]) -> list[int]:
    """Numbers of the events in what both processes share."""
    return [n for n, (_, where) in enumerate(events, 1) if where.startswith("cache/")]


def pair_outcome(place: Workplace, name: str) -> Outcome:
    """The cache and what one process has left, under the first one's name."""
    found = outcome_of(place.root)
    ours = {k: v for k, v in found.items() if k.startswith((f"{name}/", "cache/"))}
    return {re.sub(rf"^{name}/", "out/", k): v for k, v in ours.items()}


def expected(place: Workplace) -> Outcome:
    """What one process alone leaves."""
    name = place.command.words[-1].rpartition("/")[2]
    place.cut  # noqa: B018 - runs the command
    return {re.sub(rf"^{name}/", "out/", k): v for k, v in place.cut[1].items()}


def check_pair(place: Workplace, *names: str) -> None:
    for name in names:
        found, wanted = pair_outcome(place, name), expected(place)
        wrong = {k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k)}
        assert not wrong, (name, sorted(wrong))
        place.counts["results_equal"] += 1


def wait_until_stopped(victim: Victim) -> None:
    deadline = time.monotonic() + 120
    while not victim.is_stopped():
        assert victim.poll() is None, victim.wait()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def done(place: Workplace, ended: Ended) -> None:
    assert ended.status == (KILLED if place.command.until else 0), ended.stderr


@pytest.mark.torture
@pytest.mark.parametrize("then", [signal.SIGKILL, signal.SIGCONT], ids=["killed", "goes on"])
@each(AUDIT)
def test_one_is_stopped_while_it_shares_a_cache(place: Workplace, then: int) -> None:
    """Stopped while it reserves, decodes or marks: pixels are never black, nor half a row."""
    until, events = place.command.until, place.undisturbed[0].events
    first, second = (w[-1].rpartition("/")[2] for w in (place.command.words, other_words(AUDIT)))
    for at in evenly(of_cache(events), POINTS):
        place.reset()
        one = place.start(at=at, signal=signal.SIGSTOP)
        wait_until_stopped(one)
        two = place.start(other_words(place.command), to=until, name="second")
        deadline = time.monotonic() + _WAITS
        while time.monotonic() < deadline and two.poll() is None:
            time.sleep(0.05)
        one.send(then)
        done(place, two.wait(60))
        if then == signal.SIGCONT:
            done(place, one.wait())
        else:
            assert one.wait().status == KILLED
            place.counts["kills"] += 1
            done(place, place.start(to=until).wait())
        check_pair(place, first, second)


@pytest.mark.torture
@each(BENCHMARK)
def test_two_at_once_and_one_is_killed(place: Workplace) -> None:
    """Both begin together; the first is killed at events of the cache, then started again."""
    until, events = place.command.until, place.cut[0].events
    for at in evenly(of_cache(events), POINTS // 2):
        place.reset()
        one = place.start(at=at)
        two = place.start(other_words(place.command), to=until, name="second")
        assert one.wait().status == KILLED
        place.counts["kills"] += 1
        done(place, two.wait())
        done(place, place.start(to=until).wait())
        check_pair(place, "run", "run-2")


@pytest.fixture
def busy(place: Workplace) -> Iterator[Victim]:
    """A first process that is stopped in the midst of what it writes."""
    place.reset()
    events = place.cut[0].events
    name = place.command.words[-1].rpartition("/")[2]
    late = [n for n, (what, where) in enumerate(events, 1) if name in where or "append" in what]
    place.reset()
    one = place.start(at=late[len(late) // 2], signal=signal.SIGSTOP)
    wait_until_stopped(one)
    yield one
    one.send(signal.SIGKILL)
    one.wait()


@pytest.mark.torture
@each(BENCHMARK, PREDICT)
def test_a_second_on_one_folder_is_refused_in_one_line(place: Workplace, busy: Victim) -> None:
    ended = place.start(name="second").wait(60)
    lines = [line for line in ended.stderr.splitlines() if line.startswith("melanoscope")]
    assert ended.status == 1
    assert len(lines) == 1
    assert "process" in lines[0]
    busy.send(signal.SIGKILL)
    assert busy.wait().status == KILLED
    place.finish_and_check(whole=False)
