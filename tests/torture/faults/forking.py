"""Commands run in processes of their own, without importing PyTorch anew for each.

`Runner` starts one process that imports everything and then forks for each command, so that a
command may be starved of memory, killed, or die of a bus error, and costs no start.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit status (minus the signal that ended it), output, seconds, MiB."""

    status: int
    out: str
    err: str
    seconds: float
    peak_mib: float

    @property
    def line(self) -> str:
        """The last line on stderr, which says what was wrong."""
        return (self.err.strip().splitlines() or [""])[-1]


class Runner:
    """Runs commands of melanoscope; the process that forks lives as long as this object."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.faults.forking"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(
        self,
        *words: object,
        env: Mapping[str, str | None] | None = None,
        limits: Mapping[str, int] | None = None,
        before: str = "",
        cwd: Path | None = None,
        uid: int | None = None,
        timeout: float = 300,
    ) -> Outcome:
        """Run a command.

        Args:
            words: Its arguments.
            env: Variables of the environment to set; None takes one away.
            limits: Limits by the names of `resource`, RLIMIT_AS for example.
            before: Python that is run in the process before the command.
            cwd: Folder to start in.
            uid: User to become.
            timeout: Seconds after which the command is killed, and the test fails.
        """
        job = {
            "words": [str(word) for word in words],
            "env": dict(env or {}),
            "limits": dict(limits or {}),
            "before": before,
            "cwd": str(cwd or ROOT),
            "uid": uid,
            "timeout": timeout,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert answer.pop("ended"), f"still running after {timeout} s: {job['words']}"
        return Outcome(**answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def _serve() -> None:
    import matplotlib.pyplot as _  # noqa: F401
    import onnxruntime  # noqa: F401
    import torchvision  # noqa: F401

    import melanoscope.cli.app
    import melanoscope.export.bundle_writer
    import melanoscope.export.trained_model
    import melanoscope.report.audit_page
    import melanoscope.report.from_run
    import melanoscope.training.fit  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.monotonic()
            child = os.fork()
            if child == 0:
                _run(job, out.fileno(), err.fileno())
            ended, status, peak = _wait(child, job["timeout"])
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        answer = {
            "ended": ended,
            "status": os.waitstatus_to_exitcode(status),
            "out": texts[0],
            "err": texts[1],
            "seconds": time.monotonic() - started,
            "peak_mib": peak / 1024,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201


def _wait(child: int, timeout: float) -> tuple[bool, int, int]:
    end = time.monotonic() + timeout
    ended = True
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return ended, status, usage.ru_maxrss
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            ended, end = False, float("inf")
        time.sleep(0.01)


def _run(job: dict[str, object], out: int, err: int) -> None:
    """Become the command; never return."""
    status = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(str(job["cwd"]))
        _set_environment(job["env"])  # type: ignore[arg-type]
        sys.argv = ["melanoscope", *job["words"]]  # type: ignore[misc]
        exec(str(job["before"]), {})  # noqa: S102 - of the tests
        for name, value in job["limits"].items():  # type: ignore[attr-defined]
            resource.setrlimit(getattr(resource, name), (value, value))
        if job["uid"] is not None:
            os.setuid(int(str(job["uid"])))
        status = _main()
    except BaseException:  # noqa: BLE001 - a traceback is what the tests look for
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    tempfile.tempdir = None  # looked for anew
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _main() -> int:
    from melanoscope.cli.app import main

    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def lines(outcome: Outcome) -> Sequence[str]:
    """Return the lines on stderr that are messages of ours."""
    return [line for line in outcome.err.splitlines() if line.startswith("melanoscope: ")]


def expect_one_line(outcome: Outcome, *words: object) -> None:
    """Fail unless a command ended with status 1 and one line of ours, which holds `words`."""
    assert outcome.status == 1, outcome
    assert "Traceback" not in outcome.err, outcome.err
    assert len(lines(outcome)) == 1, outcome.err
    for word in words:
        assert str(word) in outcome.line, outcome.line


if __name__ == "__main__":
    _serve()
