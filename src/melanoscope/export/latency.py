"""How long a bundle's graphs take for one photograph, side by side.

Machines are shared and change their speed from second to second. So the variants take turns, in a
new order each time, and a median with quartiles is reported: what one variant suffers, the others
suffer too, and their ratio holds although no single number does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.hardware import describe_hardware
from melanoscope.inference.manifest import Latency, Machine, Milliseconds
from melanoscope.inference.onnx_session import OnnxModel


def time_variants(
    paths: Mapping[str, Path], image_size: int, *, threads: int = 2, repeats: int = 60
) -> dict[str, Latency]:
    """Time each variant's graph in `paths` on one photograph of noise at a time, in turns."""
    # What is seen does not change the time.
    noise = np.random.default_rng(0)
    pixels = noise.integers(0, 256, (1, image_size, image_size, 3), dtype=np.uint8)
    static = np.zeros((1, 1, patient.WIDTH), np.float32)

    def task(path: Path) -> Callable[[], object]:
        graph = OnnxModel(path, threads)
        return lambda: graph(pixels=pixels, static=static)

    seconds = take_turns({name: task(path) for name, path in paths.items()}, repeats=repeats)
    return {
        name: Latency(
            bytes=paths[name].stat().st_size,
            milliseconds=Milliseconds(**spread([1000 * one for one in taken])),
            n=len(taken),
            threads=threads,
            machine=Machine(**machine()),
        )
        for name, taken in seconds.items()
    }


def take_turns(
    tasks: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    warm_up: int = 5,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the seconds of each task of `repeats` rounds; a round runs all, in a new order."""
    if repeats < 2:
        raise BundleError("at least 2 repeats", str(repeats), "a quartile needs more than one run")
    for _ in range(warm_up):
        for task in tasks.values():
            task()
    order, rng = list(tasks), random.Random(seed)
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        rng.shuffle(order)
        for name in order:
            started = clock()
            tasks[name]()
            seconds[name].append(clock() - started)
    return seconds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, quartiles and the fastest of times; noise only ever adds.

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
    """Return what times were taken on: processor, cores and the version of ONNX Runtime."""
    import onnxruntime

    hardware = describe_hardware()
    return {
        "processor": hardware["processor"],
        "cores": hardware["cores"],
        "onnxruntime": onnxruntime.__version__,
    }
