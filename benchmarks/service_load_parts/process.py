"""A service as a process of its own, and what it takes of the machine."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SERVE = """
import sys
from pathlib import Path
from melanoscope.cli.serve import serve
serve(Path(sys.argv[1]), port=0, workers=int(sys.argv[2]) or None)
"""


@dataclass(frozen=True)
class Service:
    """A service that runs: its process, its port on this machine, and the lines of its log."""

    pid: int
    port: int
    log: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Size:
    """What a process holds: resident megabytes, threads, open files and sockets."""

    megabytes: float
    threads: int
    files: int


@contextlib.contextmanager
def running_service(
    bundle: Path, *, workers: int = 0, core: int | None = None
) -> Iterator[Service]:
    """Serve a bundle with so many workers (0: as many as by default), on one `core` if it says."""
    command = [sys.executable, "-c", _SERVE, str(bundle), f"{workers}"]
    cores = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})  # which the service inherits
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one:
        os.sched_setaffinity(0, cores)
        with contextlib.ExitStack() as stack:
            assert one.stdout is not None  # noqa: S101
            address = json.loads(one.stdout.readline())["address"]
            service = Service(one.pid, int(address.rpartition(":")[2]))
            # Its log has to go somewhere, or it would stop once the pipe is full.
            reader = threading.Thread(target=lambda: service.log.extend(one.stdout or ()))
            reader.start()
            stack.callback(reader.join)
            stack.callback(one.terminate)
            _wait_for(address)
            yield service


def size_of(pid: int) -> Size:
    """Return the size of a process, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines)
    megabytes = int(facts["VmRSS"].split()[0]) / 1024
    return Size(megabytes, int(facts["Threads"]), len(os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz"):  # noqa: S310 - our own service
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service was not ready within a minute")
