"""How long a bundle's graphs take for one photograph, side by side.

Machines are shared and change their speed from second to second. So the variants take turns, in an
order drawn anew each time, and a median with quartiles is reported: what one variant suffers, the
others suffer too, and their ratio holds although no single number does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.hardware import describe_hardware

if TYPE_CHECKING:
    from collections.abc import Sequence

THREADS = 2
REPEATS = 60
_WARM_UP = 5


def time_variants(
    paths: Mapping[str, Path],
    px: int,
    *,
    threads: int = THREADS,
    repeats: int = REPEATS,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Measure each variant of a network on one photograph at a time.

    Args:
        paths: Variant -> its graph (see `graph.export_model`).
        px: Side of the photographs.
        threads: Of each run.
        repeats: Timed runs of each variant.
        seed: Of the photograph (noise: the time does not depend on what is seen) and the order.

    Returns:
        Variant -> ``bytes`` of the file; ``milliseconds`` with ``median``, ``lower_quartile``,
        ``upper_quartile`` and ``fastest``; ``n`` runs; ``threads``; ``machine``.

    Raises:
        BundleError: A graph that does not run, or fewer than two repeats.
    """
    from melanoscope.inference.onnx_session import OnnxModel

    pixels = np.random.default_rng(seed).integers(0, 256, (1, px, px, 3), dtype=np.uint8)
    known = np.zeros((1, 1, patient.WIDTH), np.float32)

    def runner(path: Path) -> Callable[[], object]:
        graph = OnnxModel(path, threads)
        return lambda: graph(pixels=pixels, static=known)

    seconds = take_turns(
        {name: runner(path) for name, path in paths.items()}, repeats=repeats, seed=seed
    )
    on = machine()
    return {
        name: {
            "bytes": paths[name].stat().st_size,
            "milliseconds": spread([1000 * one for one in taken]),
            "n": len(taken),
            "threads": threads,
            "machine": on,
        }
        for name, taken in seconds.items()
    }


def take_turns(
    tasks: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    warm_up: int = _WARM_UP,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time tasks in turn: every round runs each once, in an order drawn anew.

    Args:
        tasks: Name -> what is timed.
        repeats: Timed rounds, at least 2.
        warm_up: Rounds before that are not timed.
        seed: Of the order.
        clock: Seconds.

    Returns:
        Name -> seconds of each round, shape (repeats,), in the order of `tasks`.

    Raises:
        BundleError: Fewer than two repeats.
    """
    if repeats < 2:
        raise BundleError("at least 2 repeats", str(repeats), "a quartile needs more than one run")
    for _ in range(warm_up):
        for task in tasks.values():
            task()
    order, drawn = list(tasks), random.Random(seed)
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        drawn.shuffle(order)
        for name in order:
            started = clock()
            tasks[name]()
            seconds[name].append(clock() - started)
    return seconds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Summarise times by their middle; noise only ever adds, so the fastest is told as well.

    >>> spread([4.0, 1.0, 2.0, 3.0, 5.0])["median"]
    3.0
    """
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        "median": float(middle),
        "lower_quartile": float(low),
        "upper_quartile": float(high),
        "fastest": float(np.min(values)),
    }


def machine() -> dict[str, Any]:
    """Name what the times were taken on: processor, cores, ONNX Runtime."""
    import onnxruntime

    known = describe_hardware()
    return {
        "processor": known["processor"],
        "cores": known["cores"],
        "onnxruntime": onnxruntime.__version__,
    }
