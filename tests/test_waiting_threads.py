"""The busy processes of benchmarks/waiting_threads.py end with it, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

CODE = """
import time
from waiting_threads import busy_processes

with busy_processes(2) as others:
    print(*(other.pid for other in others), flush=True)
    time.sleep(60)
"""


def running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # ended, and nobody has asked how


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_busy_process_outlives_the_benchmark(end):
    whole = subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd=BENCHMARKS,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pids = [int(pid) for pid in whole.stdout.readline().split()]
    assert len(pids) == 2
    assert all(running(pid) for pid in pids)
    os.kill(whole.pid, end)
    whole.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(running(pid) for pid in pids)
