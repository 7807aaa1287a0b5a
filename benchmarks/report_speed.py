"""How long a whole report takes, and what memory: 22 networks, the poster's 37,648 predictions.

    python benchmarks/report_speed.py [--networks 22] [--photographs 37648] [--json FILE]

The run folder is drawn: predictions of eleven backbones from scratch and fine-tuned in five folds,
12,550 patients of three photographs, one fifth of them melanomas. All sections and figures are
written, but for those that need photographs, by `melanoscope report`, imports included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import write_run

from melanoscope.hardware import describe_hardware
from melanoscope.models.backbones import REGISTRY


def main() -> None:
    """Draw the run, write its report and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=22)
    parser.add_argument("--photographs", type=int, default=37_648)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = list(REGISTRY)[: (options.networks + 1) // 2]
    rows = [(name, transfer) for name in names for transfer in ("scratch", "finetune")]
    skill = {row: 1.2 + 0.08 * i for i, row in enumerate(rows[: options.networks])}
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", skill, photographs=options.photographs)
        found = {"networks": len(skill), "photographs": options.photographs, **measure(run)}
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure(run: Path) -> dict[str, object]:
    """Write the report as a user does; return seconds, processor seconds and peak MiB."""
    begin = time.perf_counter()
    report = subprocess.Popen([sys.executable, "-m", "melanoscope.cli", "report", str(run)])
    _, status, used = os.wait4(report.pid, 0)
    if status != 0:
        raise SystemExit("the report was not written: see the error above")
    return {
        "seconds": round(time.perf_counter() - begin, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_mib": used.ru_maxrss // 1024,
        **describe_hardware(),
    }


if __name__ == "__main__":
    main()
