"""Starting victims, waiting for them, and what they leave."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .victim import Plan

_ROOT = Path(__file__).parents[3]
_LONGEST = 300.0

Event = tuple[str, str]
"""What was done ("open", "rename", "call mark_done"), and the files below the root."""


@dataclass(frozen=True)
class Ended:
    """A victim that has ended, with its status (negative for a signal) and what it has said."""

    status: int
    seconds: float
    events: list[Event]
    stdout: str
    stderr: str

    @property
    def killed(self) -> bool:
        """Whether a signal ended it."""
        return self.status < 0


class Victim:
    """A process that runs a plan."""

    def __init__(self, server: ForkServer, plan: Plan) -> None:
        self.plan = plan
        self._server = server
        self._skip = len(read_events(Path(plan.log)))
        self.started = time.monotonic()
        self.pid = server.ask(start=asdict(plan))["pid"] or 0

    def send(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return its status, or None while it lives."""
        if not hasattr(self, "_status"):
            status = self._server.ask(poll=self.pid)["status"]
            if status is None:
                return None
            self._status = status
        return self._status

    def is_stopped(self) -> bool:
        """Say whether a signal has made it pause."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        return False

    def wait(self, seconds: float = _LONGEST) -> Ended:
        """Wait for its end; one that takes longer than `seconds` is killed and fails the test."""
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                self.send(9)
                raise AssertionError(f"no end after {seconds} s: {self.plan.words}")
            time.sleep(0.01)
        return Ended(
            status,
            time.monotonic() - self.started,
            read_events(Path(self.plan.log))[self._skip :],
            Path(self.plan.stdout).read_text(),
            Path(self.plan.stderr).read_text(),
        )


class ForkServer:
    """The process that forks itself for each victim; see `fork_server`."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",  # OpenBLAS starts its threads when it is imported
            "OMP_NUM_THREADS": "1",  # victims are small, and several run at once
            "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT)]),
            "COLUMNS": "200",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.kills.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=_ROOT,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self._ready = False

    def ask(self, **question: object) -> dict[str, int | None]:
        """Send one question and return its answer."""
        if not self._ready:
            assert self._from.readline() == "ready\n"
            self._ready = True
        self._to.write(json.dumps(question) + "\n")
        self._to.flush()
        answer: dict[str, int | None] = json.loads(self._from.readline())
        return answer

    def close(self) -> None:
        """End the server and the victims that are left."""
        self._to.close()
        self._process.wait(60)


@contextlib.contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Start a server for a block."""
    server = ForkServer()
    try:
        yield server
    finally:
        server.close()


def read_events(log: Path) -> list[Event]:
    """Return the events that a `Plan`'s log holds."""
    if not log.exists():
        return []
    return [(what, where) for what, where in map(json.loads, log.read_text().splitlines())]
