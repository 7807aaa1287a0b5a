"""The machine that this process runs on: its cores, memory and processor, and how threads wait.

`melanoscope/__init__.py` imports this module before anything else, so it needs the standard
library alone.
"""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from typing import Any

OPENMP_SPIN_COUNT = 3000
"""How often a waiting thread of GNU OpenMP looks again before it sleeps (some microseconds)."""

ONNX_RUNTIME_SPINNING = True
"""Whether waiting threads of ONNX Runtime spin, as they do by ONNX Runtime's own default."""

_CGROUPS = Path("/sys/fs/cgroup")


def limit_spinning() -> None:
    """Let OpenMP's waiting threads sleep soon instead of spinning on a core that others need.

    By default a thread of GNU OpenMP (PyTorch, scikit-learn) spins for milliseconds at each
    barrier. On a quiet machine that saves a wake-up; beside another busy process it keeps the
    thread that all wait for off the core: beside three of them training ran at half the speed
    that it has with this setting (docs/results/waiting_threads.md).

    OpenMP reads the environment once, when the first library that uses it is loaded: call this
    before PyTorch, scikit-learn or SciPy are imported. A value of GOMP_SPINCOUNT or
    OMP_WAIT_POLICY that the user has set is kept.

    Source: GNU libgomp manual, "Environment Variables", GOMP_SPINCOUNT and OMP_WAIT_POLICY.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(OPENMP_SPIN_COUNT))


def available_cores() -> int:
    """Return how many cores this process may use, at least 1.

    It is the number of cores in the process's affinity mask, or a container's quota of processor
    time (cgroup v2, rounded up) where that is smaller.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _quota_of_cores())))


def describe_hardware() -> dict[str, Any]:
    """Describe the processor (its name), cores (available ones) and memory_gib (None if unknown).

    >>> sorted(describe_hardware())
    ['cores', 'memory_gib', 'processor']
    """
    memory = None
    if hasattr(os, "sysconf"):
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    return {"processor": _processor_name(), "cores": available_cores(), "memory_gib": memory}


def _quota_of_cores() -> float:
    """Return the smallest cgroup v2 quota of this process, in cores; infinite without one."""
    try:
        entries = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    group = next((line[3:] for line in entries if line.startswith("0::")), "/")
    folder = _CGROUPS / group.lstrip("/")
    quotas = [math.inf]
    for limit in (folder, *folder.parents):
        try:
            allowed, period = (limit / "cpu.max").read_text().split()
        except (OSError, ValueError):
            continue
        if allowed != "max":
            quotas.append(int(allowed) / int(period))
    return min(quotas)


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
