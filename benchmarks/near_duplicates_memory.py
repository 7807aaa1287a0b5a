"""How much memory the search for near-duplicates takes, by number of photographs.

    python benchmarks/near_duplicates_memory.py [--photographs 1000 10000 30000] [--out FILE]

Simulated pixels of 64 px, a tenth of them turned copies, mapped as a pixel store is.
Each number in a process of its own; what is said is its anonymous memory beyond that of a search
among 50 photographs: pages of the mapped file are the system's to drop.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from melanoscope.audit.near_duplicates import find_near_duplicates
from melanoscope.export.latency import machine

SIDE = 64


def simulated(count: int, path: Path) -> np.ndarray:
    """Write smooth colors with grain to a mapped file; the last tenth are turned copies."""
    rng = np.random.default_rng(0)
    pixels = np.memmap(path, np.uint8, "w+", shape=(count, SIDE, SIDE, 3))
    own = count * 9 // 10
    for row in range(count):
        if row >= own:
            pixels[row] = np.rot90(pixels[row - own], row % 4)
            continue
        cells = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        smooth = np.asarray(cells.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(int)
        pixels[row] = np.clip(smooth + rng.normal(0, 9, (SIDE, SIDE, 1)), 0, 255)
    return pixels


def anonymous_bytes() -> int:
    """Return the anonymous memory of this process (Linux)."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))


def measure(count: int) -> dict[str, float]:
    """Search among `count` photographs, and watch memory every 10 ms."""
    with tempfile.TemporaryDirectory() as folder:
        pixels = simulated(count, Path(folder) / "pixels.u8")
        find_near_duplicates(pixels[:50], [str(row) for row in range(50)])
        before, peak, is_done = anonymous_bytes(), 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not is_done.wait(0.01):
                peak = max(peak, anonymous_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        started = time.perf_counter(), time.process_time()
        pairs = find_near_duplicates(pixels, [f"{row:06d}" for row in range(count)])
        seconds = time.perf_counter() - started[0], time.process_time() - started[1]
        is_done.set()
        watcher.join()
    megabytes = (peak - before) / 1e6
    return {
        "photographs": count,
        "pairs": len(pairs),
        "peak MB": round(megabytes, 1),
        "KB a photograph": round(1000 * megabytes / count, 2),
        "seconds": round(seconds[0], 1),
        "seconds of processor": round(seconds[1], 1),
    }


def main() -> None:
    """Measure each number in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, nargs="+", default=[1000, 10_000, 30_000])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    rows = []
    for count in options.photographs:
        words = [sys.executable, __file__, "--one", str(count)]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        rows.append(json.loads(told))
        print(rows[-1], flush=True)
    if options.out is not None:
        document = {"machine": machine(), "measured": rows}
        options.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
