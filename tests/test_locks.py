"""One process at a time; who waits is told for whom."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from melanoscope import locks
from melanoscope.locks import HeldElsewhereError, lock_file

HOLDS = """
import sys, time
from pathlib import Path
from melanoscope.locks import lock_file
with lock_file(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_by_the_number_of_the_first(tmp_path, holder):
    refused = pytest.raises(HeldElsewhereError, match=f"process {holder.pid}")
    with refused, lock_file(tmp_path / "lock", wait=False):
        pass


def test_who_waits_for_a_stopped_process_is_told_for_which(tmp_path, holder, caplog, monkeypatch):
    monkeypatch.setattr(locks, "_SECONDS_OF_SILENCE", 0.1)
    holder.send_signal(signal.SIGSTOP)
    held = threading.Event()

    def wait() -> None:
        with lock_file(tmp_path / "lock", wait=True):
            held.set()

    thread = threading.Thread(target=wait)
    with caplog.at_level(logging.WARNING):
        thread.start()
        until = time.monotonic() + 10
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.02)
    assert f"waiting for process {holder.pid}" in caplog.text
    assert not held.is_set()
    holder.kill()  # which opens the lock, also of a stopped process
    thread.join(timeout=10)
    assert held.is_set()


def test_the_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), lock_file(tmp_path / "lock", wait=False):
        raise ZeroDivisionError
    with lock_file(tmp_path / "lock", wait=False):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
