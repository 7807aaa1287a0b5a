"""What hashing the files' content costs beside decoding them, on 2 cores.

    python benchmarks/content_hash.py [LESIONS] [--files 1000] [--rounds 7] [--size 128] [--out F]

LESIONS holds folders of real photographs; without it lesions are drawn. The files are hashed as a
pixel store hashes them, and decoded as it decodes them, in turns, so that a busy machine burdens
both alike. All are read from the page cache; a slow disk adds to both what it takes to read them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from melanoscope.data.content_hash import content_hashes
from melanoscope.data.sources.simulated import simulate_images
from melanoscope.export.latency import machine
from melanoscope.imaging.decode import read_image

MOST = 0.10
WORKERS = 2


def seconds(work: Callable[[], object]) -> float:
    """Measure how long something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def decode_all(paths: list[Path], size: int) -> None:
    """Decode all files, as a pixel store does."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(lambda path: read_image(path, size), paths):
            pass


def measure(paths: list[Path], size: int, rounds: int) -> dict[str, Any]:
    """Hash and decode in turns; the share is of the same round."""
    decode_all(paths, size)  # fills the page cache
    shares, hashing, decoding = [], [], []
    for _ in range(rounds):
        hashing.append(seconds(lambda: content_hashes(paths, WORKERS)))
        decoding.append(seconds(lambda: decode_all(paths, size)))
        shares.append(hashing[-1] / decoding[-1])
    return {
        "files": len(paths),
        "megabytes": sum(path.stat().st_size for path in paths) / 1e6,
        "size": size,
        "share": {"median": statistics.median(shares), "min": min(shares), "max": max(shares)},
        "microseconds per file": {
            "hashing": 1e6 * statistics.median(hashing) / len(paths),
            "decoding": 1e6 * statistics.median(decoding) / len(paths),
        },
    }


def main() -> None:
    """Measure, print, write JSON; end with status 1 beyond a tenth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesions", type=Path, nargs="?")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:WORKERS])
    with tempfile.TemporaryDirectory() as folder:
        if options.lesions is None:
            frame = simulate_images(options.files, Path(folder))
            paths = [Path(path) for path in frame["path"]]
        else:
            paths = sorted(options.lesions.rglob("*.jpg"))
            paths = random.Random(0).sample(paths, min(options.files, len(paths)))
        result = {"machine": machine(), **measure(paths, options.size, options.rounds)}
    print(json.dumps(result, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    if result["share"]["median"] > MOST:
        raise SystemExit(f"hashing takes {result['share']['median']:.1%} of decoding")


if __name__ == "__main__":
    main()
