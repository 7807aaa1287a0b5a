"""Every command of the table is killed all over its run, started again, and compared to the bit."""

from __future__ import annotations

import os
import random
import time

import pytest

from .commands import BENCHMARK, COMMANDS, PREDICT
from .points import KILLS, spread_points
from .workplace import KILLED, Workplace, each

MOMENTS = max(2, KILLS // 4)
"""How often a command is killed by the clock."""
_TWICE = 4  # each fourth attempt is killed again while it goes on
_WHOLE = 8  # each eighth runs to its end, also where another row goes on from `until`


@pytest.mark.torture
@each(*COMMANDS)
def test_killed_at_events(place: Workplace) -> None:
    """Between every two changes of files, a write and its rename among them."""
    events = place.undisturbed[0].events
    cut = len(place.cut[0].events)
    points = spread_points(events, KILLS, cut)
    rng = random.Random(place.command.name)
    kills, wrong = 0, []
    for number, point in enumerate(points, 1):
        place.reset()
        whole = point.at > cut or number % _WHOLE == 0
        if place.kill_at(point).status == KILLED:
            kills += 1
        else:
            wrong.append(f"not killed {point.name}")
        if number % _TWICE == 0:
            at, to = rng.randint(1, max(1, len(events) - point.at)), place.command.until
            kills += place.start(at=at, to="" if whole else to).wait().status == KILLED
        wrong += check(place, point.name, whole=whole)
    place.counts["kills"] = kills
    assert not wrong, "\n".join(wrong)


@pytest.mark.torture
@each(*COMMANDS)
def test_killed_by_the_clock(place: Workplace) -> None:
    """In the midst of decoding, of training steps, of writing inside other languages' libraries."""
    seconds = place.undisturbed[0].seconds
    kills, wrong = 0, []
    for number in range(MOMENTS):
        place.reset()
        victim = place.start()
        moment = seconds * (number + 0.5) / MOMENTS
        time.sleep(moment)
        victim.send(-KILLED)
        kills += victim.wait().status == KILLED
        # Killed beyond `until`, it has begun what an attempt that is cut off there does not mend.
        beyond = any(
            f"{what} {where}".startswith(place.command.until) for what, where in place.events()
        ) and bool(place.command.until)
        whole = beyond or number == MOMENTS - 1
        wrong += check(place, f"after {moment:.2f} s", whole=whole, torn=1)
    place.counts["kills"] = kills
    assert not wrong, "\n".join(wrong)
    assert kills >= MOMENTS / 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@each(BENCHMARK, PREDICT)
def test_killed_again_and_again(place: Workplace) -> None:
    """The short form: one series of attempts, each killed further on than the one before."""
    place.cut  # noqa: B018 - what is expected
    place.reset()
    for event in place.command.short:
        when, _, what = event.partition(" ")
        assert place.start(to=what, after=when == "after").wait().status == KILLED
    assert not check(place, "again and again", whole=False)


def check(place: Workplace, point: str, *, whole: bool, torn: int = 0) -> list[str]:
    """Go on after a kill at a `point`; return what is wrong then."""
    try:
        place.finish_and_check(whole=whole, torn=torn)
    except AssertionError as error:
        return [f"killed {point}: {error}"]
    return []
