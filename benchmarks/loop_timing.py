"""Work timed beside a plain loop that does the same, in one run."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from typing import Any


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor, all threads together."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def peak_mib() -> int:
    """Most memory that the process has held so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def beside_loop(
    ours: Callable[[], object], loop: Callable[[int], object], *, timed_replicates: int, wanted: int
) -> dict[str, Any]:
    """Time `ours` and some replicates of a plain `loop`, scaled to all that are wanted.

    Args:
        ours: The work; its peak of memory is taken, so that it comes first.
        loop: The same for so many replicates of one network; with 0 what is done once.
        timed_replicates: Replicates of the loop that are timed.
        wanted: Replicates of all networks together.

    Returns:
        Seconds, memory, how many times as long the loop takes, and the machine.
    """
    before = peak_mib()
    clock, processor = timed(ours)
    peak = peak_mib()
    once, once_processor = timed(lambda: loop(0))
    some, some_processor = timed(lambda: loop(timed_replicates))
    scale = wanted / timed_replicates
    whole, whole_processor = (some - once) * scale, (some_processor - once_processor) * scale
    return {
        "seconds": round(clock, 2),
        "processor_seconds": round(processor, 2),
        "peak_memory_mib": peak,
        "memory_before_mib": before,
        "loop_replicates_timed": timed_replicates,
        "loop_seconds_scaled": round(whole, 1),
        "loop_processor_seconds_scaled": round(whole_processor, 1),
        "times_faster": round(whole / clock, 1),
        "times_faster_by_processor_time": round(whole_processor / processor, 1),
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
    }
