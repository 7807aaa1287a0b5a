"""A process that runs one command line and, at a planned event, ends or stops itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass, field
from typing import NoReturn

from .events import Carry, Watch


@dataclass(frozen=True)
class Plan:
    """What a victim runs, and what becomes of it.

    Attributes:
        words: The command line, without "melanoscope".
        root: Folder whose changes are events.
        log: File that gets one line of JSON for each event that was carried out.
        stdout: File that takes standard output.
        stderr: File that takes standard error.
        calls: Functions whose calls are events, too, as "module:Class.function".
        at: Number of the event, from 1, that `signal` is sent at; 0: never.
        to: Beginning of the event, what is done and where, that `signal` is sent at; "": none.
        after: Whether the event is carried out first. Else its process is killed before it.
        signal: Number of the signal that the process sends to itself.
        environment: Variables that are set.
    """

    words: list[str]
    root: str
    log: str
    stdout: str
    stderr: str
    calls: list[str] = field(default_factory=list)
    at: int = 0
    to: str = ""
    after: bool = False
    signal: int = int(signal.SIGKILL)
    environment: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the plan on one line."""
        return json.dumps(asdict(self))


def run(plan: Plan) -> NoReturn:
    """Run a plan in this process, which must have one thread, and end it."""
    os.setpgid(0, 0)
    for descriptor, name in ((1, plan.stdout), (2, plan.stderr)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(plan.environment)
    sys.argv = ["melanoscope", *plan.words]
    log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    number = 0

    def on_event(what: str, where: str, carry: Carry) -> None:
        nonlocal number
        number += 1
        line = json.dumps([what, where]).encode() + b"\n"
        now = number == plan.at or (plan.to and f"{what} {where}".startswith(plan.to))
        if not now:
            os.write(log, line)
            return
        if plan.after:
            with contextlib.suppress(OSError):  # such as a folder that is there
                carry()
            os.write(log, line)
        os.kill(os.getpid(), plan.signal)
        os.write(log, line)  # it was stopped and goes on, or has some seconds to end

    watch = Watch(plan.root, on_event)
    for name in plan.calls:
        watch.wrap(name)
    watch.start()
    _run_command()


def _run_command() -> NoReturn:
    from melanoscope.cli import main

    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        status = 1
    else:
        status = 0
    _exit_as_python_does(status)


def _exit_as_python_does(status: int) -> NoReturn:
    import atexit
    import threading

    # A forked process must not return into its parent's program; what Python does at its end is
    # part of the command, though: it waits for threads, and runs what libraries have registered.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
