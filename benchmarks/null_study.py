"""How often each test prints a false star, and how often each interval holds the truth.

    python benchmarks/null_study.py [--repetitions 1000] [--json FILE] [--markdown FILE]

Studies are simulated with patients or lesions of several photographs, two arms of equal expected
AUROC (linear discriminants in closed form, so that the truth of every trained network is known)
and cross-validation by group. Each repetition computes every test and interval of interest; two
more settings have a real difference, for the power of the tests. Needs no photographs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from null_study_parts.rates import rates
from null_study_parts.repetition import Outcome, repetition
from null_study_parts.simulate import Setting
from null_study_parts.text import markdown, replaced

SETTINGS = (
    Setting("lesions", "lesions", 1000, 0.40, 5),
    Setting("few lesions", "lesions", 500, 0.20, 5, networks=4),
    Setting("patients", "patients", 3400, 0.15, 5),
    Setting("few patients", "patients", 1000, 0.15, 5, networks=4),
    Setting("ten folds, much chance", "lesions", 3400, 0.14, 10, noise=1.0),
    Setting(
        "overfitted, unlike arms", "lesions", 1000, 0.40, 5, networks=4, own=80, common=0, noise=0
    ),
    Setting("three repeats", "lesions", 1000, 0.40, 5, repeats=3, networks=4),
)
EFFECTS = (
    Setting("lesions, A better", "lesions", 1000, 0.40, 5, gain=0.05),
    Setting("ten folds, much chance, A better", "lesions", 3400, 0.14, 10, noise=1.0, gain=0.05),
)
CHUNK = 20


def study(
    settings: tuple[Setting, ...], *, repetitions: int, replicates: int, seed: int, workers: int
) -> dict[str, Any]:
    """Run every setting and return everything as plain values.

    Args:
        settings: What to simulate.
        repetitions: Of each setting; a fourth where A is better.
        replicates: Of each bootstrap.
        seed: Of everything; results depend neither on the workers nor on other settings.
        workers: Processes; 0 stays in this one.
    """
    started = time.perf_counter()
    found = []
    for setting in settings:
        # Power needs no fine rates.
        wanted = max(2, repetitions // 4) if setting.gain else repetitions
        seeds = [[seed, i, *setting.name.encode()] for i in range(wanted)]
        chunks = [seeds[i : i + CHUNK] for i in range(0, wanted, CHUNK)]
        outcomes: list[Outcome] = []
        for chunk in _computed(setting, chunks, replicates, workers):
            outcomes += chunk
            _progress(setting.name, len(outcomes), wanted, started)
        found.append(_rounded(rates(setting, outcomes)))
    return {
        "repetitions": repetitions,
        "bootstrap_replicates": replicates,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 1),
        "workers": workers,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("melanoscope", "numpy", "scipy")},
        },
        "machine": {"processor": _processor(), "cores": os.cpu_count()},
        "settings": found,
    }


def _computed(
    setting: Setting, chunks: list[list[list[int]]], replicates: int, workers: int
) -> Iterator[list[Outcome]]:
    if not workers:
        yield from (_chunk(setting, chunk, replicates) for chunk in chunks)
        return
    # A worker has one thread: several for such small products cost more than they bring.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        jobs = [pool.submit(_chunk, setting, chunk, replicates) for chunk in chunks]
        yield from (job.result() for job in jobs)


def _chunk(setting: Setting, seeds: list[list[int]], replicates: int) -> list[Outcome]:
    return [repetition(setting, seed, replicates) for seed in seeds]


def _progress(name: str, done: int, total: int, started: float) -> None:
    end = "\n" if done == total or not sys.stderr.isatty() else "\r"
    if done == total or end == "\r" or done % 200 == 0:
        seconds = time.perf_counter() - started
        print(f"{name}: {done} of {total}, {seconds:.0f} s", end=end, file=sys.stderr, flush=True)


def _rounded(value: Any) -> Any:
    """Numbers to five places, far below their Monte Carlo error."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=400, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path, help="write all rates here")
    parser.add_argument("--markdown", type=Path, help="replace the tables in this file")
    options = parser.parse_args()
    if options.repetitions < 2 or options.replicates < 100:
        parser.error("at least 2 repetitions and 100 replicates")
    result = study(
        SETTINGS + EFFECTS,
        repetitions=options.repetitions,
        replicates=options.replicates,
        seed=options.seed,
        workers=options.workers,
    )
    tables = markdown(result)
    print(tables)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.markdown:
        document = options.markdown.read_text() if options.markdown.exists() else ""
        options.markdown.write_text(replaced(document, tables))


if __name__ == "__main__":
    main()
