"""How long a whole report takes, and what memory: 22 networks, the poster's 37,648 predictions.

    python benchmarks/report_speed.py [--networks 22] [--photographs 37648] [--json FILE]

The run folder is drawn: predictions of eleven backbones from scratch and fine-tuned in five folds,
12,550 patients of three photographs, one fifth of them melanomas. All sections and figures are
written, but for those that need photographs.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import write_run

from melanoscope.hardware import describe_hardware
from melanoscope.models.backbones import REGISTRY
from melanoscope.report.from_run import report_run


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
        before = _peak_mib()
        clock, processor = time.perf_counter(), time.process_time()
        report_run(run)
        found = {
            "networks": len(skill),
            "photographs": options.photographs,
            "seconds": round(time.perf_counter() - clock, 1),
            "processor_seconds": round(time.process_time() - processor, 1),
            "peak_memory_mib": _peak_mib(),
            "memory_before_mib": before,
            **describe_hardware(),
        }
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
