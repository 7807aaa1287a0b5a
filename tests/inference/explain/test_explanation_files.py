"""The files of one explanation are of one process, also where two write the same folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from melanoscope.imaging.decode import DecodedImage
from melanoscope.inference.explain.explanation import write_explanation

from .samples import diagnosis, photograph

HOLDS = """
import sys, time
from pathlib import Path
from melanoscope import atomic
def wait(path):
    print("held", flush=True)
    sys.stdin.readline()
atomic.remove_partials_of = wait
atomic.write_together(Path(sys.argv[1]), {"mole-photograph.png": b"theirs"})
"""


def test_a_second_process_waits_for_the_first(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    image = DecodedImage(photograph(64), 64, 64)
    written = threading.Thread(
        target=write_explanation, args=(tmp_path / "mole", image, diagnosis(), None)
    )
    written.start()
    written.join(timeout=0.3)
    assert written.is_alive()
    assert not list(tmp_path.glob("mole-*"))
    other.communicate("go on\n", timeout=30)
    written.join(timeout=30)
    assert (tmp_path / "mole-photograph.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("mole-photograph.png", "mole-evidence.png", "mole-explanation.html")
    }
