"""The measured rates in a table."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from typing import Any

from melanoscope.hardware import available_cores
from melanoscope.inference.bundle import open_bundle

from .process import processor
from .rates import ALONE


def summarize(found: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return medians, and ratios of each round to its own bare predictor."""
    rounds = found["rounds"]
    bares = [name for name in rounds if not name.startswith("API")]
    best = max(bares, key=lambda name: statistics.median(one["rate"] for one in rounds[name]))
    rows = {}
    for name, several in rounds.items():
        row = {key: statistics.median(one[key] for one in several) for key in several[0]}
        # One client is one caller of the service's own predictor; many may have all of the machine.
        against = ALONE if name == "API, 1 client" else best
        if name not in bares:
            pairs = zip(several, rounds[against], strict=True)
            row["share"] = statistics.median(a["rate"] / b["rate"] for a, b in pairs)
            row["n"] = sum(one["n"] for one in several)
            row["against"] = against
        rows[name] = row
    bundle = open_bundle(options.bundle)
    return {
        "what": "requests per second of the API against the bare predictor",
        "bundle": bundle.manifest.name,
        "px": bundle.image_size,
        "machine": {
            "processor": processor(),
            "cores": available_cores(),
            "python": platform.python_version(),
        },
        "seconds": options.seconds,
        "rounds": options.rounds,
        "photographs": options.photographs or "drawn, 640 x 480",
        "load_average": os.getloadavg()[0],
        "rows": rows,
        "memory": found["memory"],
    }


def markdown(summary: dict[str, Any]) -> str:
    """Write a table for people."""
    machine = summary["machine"]
    about = (
        f"{summary['bundle']}, {summary['px']} px; {machine['cores']} cores of "
        f"{machine['processor']}; photographs {summary['photographs']}; median of "
        f"{summary['rounds']} rounds of {summary['seconds']:g} s; load average at the end "
        f"{summary['load_average']:.1f}"
    )
    columns = (
        *("answers per second", "share of the bare predictor", "p50, ms", "p99, ms"),
        *("CPU, ms per answer", "n"),
    )
    lines = [about, "", f"| | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    for name, row in summary["rows"].items():
        cells = [
            name,
            f"{row['rate']:.1f}",
            *(_cell(row, key) for key in ("share", "p50_ms", "p99_ms")),
        ]
        lines.append(f"| {' | '.join(cells)} | {row['cpu_ms']:.1f} | {row.get('n', '')} |")
    memory = summary["memory"]
    if memory:
        grown = memory["many_mb"] / memory["some_mb"] - 1
        sentence = (
            f"Memory: {memory['some_mb']:.0f} MB after {memory['some']} requests, "
            f"{memory['many_mb']:.0f} MB after {memory['many']} ({grown:+.1%})."
        )
        lines += ["", sentence]
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, float], key: str) -> str:
    return "" if key not in row else f"{row[key]:.2f}" if key == "share" else f"{row[key]:.1f}"
