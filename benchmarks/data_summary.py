"""What ``melanoscope data summary`` costs: 400,000 rows of a table, 20,000 of their files present.

    python benchmarks/data_summary.py [--rows N] [--files N] [--json FILE]

Draws ISIC 2020's table for so many rows and small JPEGs for some of them into a temporary folder,
then runs the command as a user does, in a process of its own, from its start to its end. The files
are small, as crops of ISIC 2024 are (131 px): what is measured is the way to them, not decoding.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from melanoscope.hardware import describe_hardware

_HEADER = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,target"
_SITES = ("torso", "head/neck", "upper extremity", "lower extremity", "")


def draw_archive(folder: Path, n_rows: int, n_files: int) -> None:
    """Write a table of `n_rows` and the photographs of `n_files` of them, evenly spread."""
    chance = random.Random(0)
    lines = [_HEADER]
    for row in range(n_rows):
        target = int(chance.random() < 0.02)
        fields = (
            f"ISIC_{row:07d}",
            f"IP_{row // 16:06d}",
            chance.choice(("male", "female", "")),
            f"{chance.randrange(10, 90, 5)}.0",
            chance.choice(_SITES),
            "melanoma" if target else "nevus",
            str(target),
        )
        lines.append(",".join(fields))
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    (folder / "train").mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(90, 200, (131, 131, 3), np.uint8))
    for number in range(n_files):
        row = number * n_rows // n_files
        # Each of its own content: copies would be found, and that is another matter.
        picture.putpixel((number % 131, number // 131 % 131), (number % 256, 0, 0))
        picture.save(folder / "train" / f"ISIC_{row:07d}.jpg", quality=75)


def run_summary(folder: Path) -> tuple[float, float, dict[str, Any]]:
    """Run the command once; return its seconds, those of the processor, and its document."""
    command = [sys.executable, "-m", "melanoscope.cli", "data", "summary", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--data", f"isic2020={folder}"], capture_output=True, check=True, text=True
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, json.loads(done.stdout)


def main() -> None:
    """Draw, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw_archive(Path(folder), options.rows, options.files)
        runs = [run_summary(Path(folder)) for _ in range(options.times)]
    for *_, document in runs:
        if (document["rows"], document["found"]) != (options.rows, options.files):
            raise SystemExit(f"found {document['found']} of {document['rows']}")
    result = {
        "hardware": describe_hardware(),
        "rows": options.rows,
        "files": options.files,
        "unreadable": len(runs[0][2]["unreadable"]),
        "seconds_median": round(statistics.median(seconds for seconds, *_ in runs), 2),
        "seconds": [round(seconds, 2) for seconds, *_ in runs],
        "processor_seconds": [round(used, 2) for _, used, _ in runs],
        "load": round(os.getloadavg()[0], 2),
        "most_memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
