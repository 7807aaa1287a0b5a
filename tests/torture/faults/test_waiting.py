"""What never answers: a process that holds a store and is stopped, a pipe, a file that changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.torture.faults.commands import COMMANDS, Prepared
from tests.torture.faults.forking import ROOT, Runner, lines

pytestmark = pytest.mark.torture

HOLD = """
import sys, time
from pathlib import Path
from melanoscope.locks import lock_file
lock = next(Path(sys.argv[1]).glob("pixels/*/*lock*"))
with lock_file(lock, wait=True):
    print("held", flush=True)
    time.sleep(600)
"""


def test_who_waits_for_a_stopped_process_says_so(run: Runner, tmp_path: Path) -> None:
    command, cache, out = COMMANDS["data audit"], tmp_path / "cache", tmp_path / "out"
    words = command.words(_nothing(tmp_path), out, cache)
    assert run(*words).status == 0
    undisturbed = command.result(out)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, cache],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)

    def let_go() -> None:
        time.sleep(12)
        holder.kill()

    threading.Thread(target=let_go).start()
    ended = run(*words)
    holder.wait()
    assert ended.status == 0, ended.err
    assert 5 < ended.seconds < 120
    assert any("waiting for" in line and str(holder.pid) in line for line in lines(ended)), (
        ended.err
    )
    assert command.result(out) == undisturbed


def _nothing(folder: Path) -> Prepared:
    """What commands are given that work on archives alone."""
    return Prepared(folder, folder, folder, folder)


CHANGES = {
    "a photograph that goes on changing": "path.write_bytes(whole + bytes([n % 256]) * (n % 9))",
    "a photograph that vanishes": "path.unlink(missing_ok=True)",
    "a photograph that becomes a pipe": (
        "path.unlink(missing_ok=True); __import__('os').mkfifo(path)"
    ),
    "a photograph that becomes a folder": "path.unlink(missing_ok=True); path.mkdir()",
}
MEDDLE = """
import threading, time
from pathlib import Path
path = Path({path!r})
whole = path.read_bytes()
def meddle():
    n = 0
    while True:
        n += 1
        try:
            {change}
        except OSError:
            pass
        time.sleep(0.001)
threading.Thread(target=meddle, daemon=True).start()
"""


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["benchmark", "data audit", "data summary, cache"])
def test_photographs_that_change_meanwhile(
    run: Runner, tmp_path: Path, name: str, change: str
) -> None:
    command, cache, out = COMMANDS[name], tmp_path / "cache", tmp_path / "out"
    words = command.words(_nothing(tmp_path), out, cache)
    assert run("data", "summary", "--data", "simulated=60", "--cache", cache).status == 0
    path = sorted(cache.glob("simulated-60-*/*.jpg"))[7]
    ended = run(*words, before=MEDDLE.format(path=str(path), change=CHANGES[change]), timeout=120)
    assert ended.status in (0, 1), ended
    assert "Traceback" not in ended.err, ended.err
    if ended.status == 1:
        assert len(lines(ended)) == 1, ended.err
        assert path.name in ended.line or "wait until they are copied" in ended.line, ended.line
