"""What a command does when it is told to stop: by Ctrl-C, SIGTERM, or the end of its terminal.

Whatever a run folder holds is whole at each moment, so that a command may be ended anywhere. It is
asked first, by an exception; a library may swallow that, or be busy in a loop of its own, so it is
ended after some seconds however that went.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from melanoscope.errors import one_line

GRACE_SECONDS = 6.0
"""How long a command that was told to stop may go on with what it is at."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


class Stopped(BaseException):
    """Raised in the main thread by a signal; it is no KeyboardInterrupt, which libraries catch."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


class _State:
    stopped_by: int | None = None
    watched: bool = False


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turn signals into `Stopped` within the block, and end the process if that does not help.

    Yields:
        Nothing. When the block ends although a signal has come, the process exits with the
        signal's status: what swallowed the exception may have left its work half done.
    """
    before = {}
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup's choice is kept
            before[number] = signal.signal(number, _stop)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _State.stopped_by, _State.watched = None, True
    threading.Thread(target=_watch, args=(reader,), name="melanoscope-signals", daemon=True).start()
    try:
        yield
        if _State.stopped_by is not None:
            raise Stopped(_State.stopped_by)
    finally:
        leave_signals()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(writer)  # which ends the watching thread


def leave_signals() -> None:
    """Let something else in the process, such as a server, see to signals from here on."""
    _State.watched = False


def farewell(number: int) -> str:
    """Return the line that says how to go on after the signal of a `number`."""
    command = shlex.join(["melanoscope", *sys.argv[1:]])
    name = signal.Signals(number).name
    return one_line(f"melanoscope: stopped by {name}; to go on from here: {command}")


def end(number: int) -> NoReturn:
    """Say how to go on and end the process now, without waiting for its threads."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.write(f"{farewell(number)}\n")
        sys.stderr.flush()
    os._exit(128 + number)  # the status that shells give to what a signal has ended


def _stop(number: int, _: FrameType | None) -> None:
    if _State.stopped_by is not None:
        end(number)  # asked twice
    _State.stopped_by = number
    raise Stopped(number)


def _watch(reader: int) -> None:
    """End the process some seconds after a signal, also where the main thread is deaf to it."""
    # The interpreter writes the signal's number here the moment it comes, from any C code.
    with contextlib.closing(os.fdopen(reader, "rb", buffering=0)) as pipe:
        while numbers := pipe.read(1):
            number = numbers[0]
            if not _State.watched or number not in _SIGNALS:
                continue
            threading.Event().wait(GRACE_SECONDS)
            if _State.watched:
                end(number)
