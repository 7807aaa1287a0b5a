"""One process at a time; who waits is told for whom."""

from __future__ import annotations

import errno
import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import filelock
import pytest

from melanoscope import locks
from melanoscope.locks import LockedError, lock_file

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
    refused = pytest.raises(LockedError, match=f"process {holder.pid}")
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


def test_a_lock_that_is_removed_lets_one_in_at_a_time(tmp_path):
    inside, most = [], []

    def hold() -> None:
        for _ in range(20):
            with lock_file(tmp_path / "lock", wait=True, remove=True):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, caplog, number):
    monkeypatch.setattr(filelock.FileLock, "acquire", Mock(side_effect=OSError(number, "")))
    with caplog.at_level(logging.WARNING), lock_file(tmp_path / "lock", wait=False):
        pass
    assert "cannot be locked" in caplog.text
