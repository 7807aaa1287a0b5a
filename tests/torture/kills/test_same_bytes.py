"""The same command gives the same bytes: in a fresh process, with fewer cores, in another order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from .commands import AUDIT, BENCHMARK, EXPORT, PREDICT, REPORT, TRAIN
from .outcome import differences, outcome_of
from .workplace import Workplace, each

_FIRST_CORE = sorted(os.sched_getaffinity(0))[0] if hasattr(os, "sched_getaffinity") else 0


def run_fresh(place: Workplace, *more: str, cores: Sequence[int] = ()) -> str:
    """Run the command in a process of its own, as a shell does; return what it says."""
    place.reset()
    words = [word.format(root=place.root) for word in (*place.command.words, *more)]
    done = subprocess.run(
        [sys.executable, "-m", "melanoscope.cli", *words],
        env={**os.environ, "MELANOSCOPE_CACHE": str(place.root / "cache"), "COLUMNS": "200"},
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.torture
@each(BENCHMARK, TRAIN, EXPORT, PREDICT, AUDIT, REPORT)
def test_a_fresh_process_writes_the_same(place: Workplace) -> None:
    """It also shows that a forked victim computes what a process of its own does."""
    _, expected = place.undisturbed
    run_fresh(place)
    assert not differences(expected, outcome_of(place.root))
    place.counts["results_equal"] += 1


@pytest.mark.torture
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="pins processes to cores")
@each(BENCHMARK, TRAIN, EXPORT, PREDICT, AUDIT, REPORT)
def test_one_core_writes_what_two_cores_do(place: Workplace) -> None:
    """One core is one worker that decodes and one thread of ONNX Runtime.

    The threads of a training change its last bits. So they are recorded and can be stated.
    """
    threads = ("--threads", "2") if place.command in (BENCHMARK, TRAIN) else ()
    run_fresh(place, *threads)
    expected = outcome_of(place.root)
    run_fresh(place, *threads, cores=[_FIRST_CORE])
    assert not differences(expected, outcome_of(place.root))
    place.counts["results_equal"] += 1
