"""How often each test prints a false star, and how often each interval holds the truth.

    python benchmarks/null_study.py [--part methods|product] [--folder FOLDER] [--publish | --short]

Studies are simulated with patients or lesions of several photographs, two arms of equal expected
AUROC (linear discriminants in closed form, so that the truth of every trained network is known)
and cross-validation by group. The part "methods" compares what could be printed of the AUROC; the
part "product" computes every interval and claim that a report prints, by the package's own
functions. Some settings have a real difference, for power and for equivalence. Results lie in
FOLDER, one file a part and setting; what is there already is not computed again. Needs no
photographs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from melanoscope.atomic import atomic_path
from melanoscope.hardware import describe_hardware
from null_study_parts.product import product
from null_study_parts.product_rates import product_rates
from null_study_parts.product_text import product_markdown
from null_study_parts.rates import rates
from null_study_parts.repetition import repetition
from null_study_parts.simulate import Setting
from null_study_parts.text import markdown, replaced

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
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
    Setting("60 patients, much alike", "patients", 960, 0.25, 5, networks=4, likeness=0.7),
    Setting("35 melanomas", "lesions", 500, 0.07, 5, networks=4),
    Setting("two folds", "lesions", 1000, 0.40, 2, networks=4),
    Setting("ten folds", "lesions", 1000, 0.40, 10, networks=4),
    Setting("one patient with a fifth", "patients", 1000, 0.15, 5, networks=4, dominant=0.2),
    Setting("unequal chance", "lesions", 1000, 0.40, 5, networks=4, gain=0.0627, more_noise=0.6),
)
EFFECTS = (
    Setting("lesions, A better", "lesions", 1000, 0.40, 5, gain=0.05),
    Setting("ten folds, much chance, A better", "lesions", 3400, 0.14, 10, noise=1.0, gain=0.05),
)
AT_MARGIN = Setting("A better by the margin", "lesions", 1000, 0.40, 5, gain=0.0183)
"""Arm A is better by what is said not to matter: equivalence must rarely be claimed."""
CHUNK = 20


@dataclass(frozen=True)
class Part:
    """A part of the study: what one repetition is, how repetitions become rates, and settings."""

    one: Callable[[Setting, list[int], int], Any]
    rates: Callable[[Setting, list[Any]], dict[str, object]]
    settings: tuple[Setting, ...]
    weaker: int
    """By how much fewer repetitions settings with an effect have: power needs no fine rates."""


def _of_product(setting: Setting) -> Setting:
    """Fewer networks, for time; what chance in training costs when less is trained on."""
    gain = 0.060 if setting.more_noise else setting.gain
    return replace(setting, networks=3, gain=gain)


PARTS = {
    "methods": Part(repetition, rates, SETTINGS + EFFECTS, 4),
    "product": Part(
        product,
        product_rates,
        tuple(_of_product(s) for s in (*SETTINGS, EFFECTS[0], AT_MARGIN)),
        1,
    ),
}


def study(
    settings: tuple[Setting, ...],
    *,
    part: str = "methods",
    repetitions: int,
    replicates: int,
    seed: int,
    workers: int,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Run every setting of a part and return everything as plain values.

    Args:
        settings: What to simulate.
        part: Key of `PARTS`.
        repetitions: Of each setting; in the part "methods" a fourth where A is better.
        replicates: Of each bootstrap.
        seed: Of everything; results depend neither on the workers nor on other settings.
        workers: Processes; 0 stays in this one.
        folder: Where results of settings are kept, and found again; None keeps none.
    """
    how = {"repetitions": repetitions, "bootstrap_replicates": replicates, "seed": seed}
    found, seconds = [], {}
    for setting in settings:
        kept = folder / f"{part}-{setting.name.replace(' ', '_')}.json" if folder else None
        given = {**how, "setting": asdict(setting), "versions": _versions()}
        made = _kept(kept, given)
        if made is None:
            started = time.perf_counter()
            result = _setting(PARTS[part], setting, repetitions, replicates, seed, workers)
            took = round(time.perf_counter() - started, 1)
            made = {"given": given, "seconds": took, "result": result}
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(kept) as partial:
                    partial.write_text(json.dumps(made, indent=1) + "\n")
        found.append(made["result"])
        seconds[setting.name] = made["seconds"]
    hardware = describe_hardware()
    return {
        **how,
        "seconds": seconds,
        "workers": workers,
        "versions": _versions(),
        "machine": {name: hardware[name] for name in ("processor", "cores")},
        "settings": found,
    }


def _kept(path: Path | None, given: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `path` keeps, where it was computed in the same way."""
    if path is None or not path.exists():
        return None
    document = json.loads(path.read_text())
    return document if document["given"] == given else None


def _setting(
    part: Part, setting: Setting, repetitions: int, replicates: int, seed: int, workers: int
) -> dict[str, Any]:
    started = time.perf_counter()
    wanted = repetitions if setting.null else max(2, repetitions // part.weaker)
    seeds = [[seed, i, *setting.name.encode()] for i in range(wanted)]
    chunks = [seeds[i : i + CHUNK] for i in range(0, wanted, CHUNK)]
    outcomes: list[Any] = []
    for chunk in _computed(part, setting, chunks, replicates, workers):
        outcomes += chunk
        _progress(setting.name, len(outcomes), wanted, started)
    found: dict[str, Any] = _rounded(part.rates(setting, outcomes))
    return found


def _computed(
    part: Part, setting: Setting, chunks: list[list[list[int]]], replicates: int, workers: int
) -> Iterator[list[Any]]:
    if not workers:
        yield from (_chunk(part, setting, chunk, replicates) for chunk in chunks)
        return
    # A worker has one thread: several for such small products cost more than they bring.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        jobs = [pool.submit(_chunk, part, setting, chunk, replicates) for chunk in chunks]
        yield from (job.result() for job in jobs)


def _chunk(part: Part, setting: Setting, seeds: list[list[int]], replicates: int) -> list[Any]:
    return [part.one(setting, seed, replicates) for seed in seeds]


def _progress(name: str, done: int, total: int, started: float) -> None:
    end = "\n" if done == total or not sys.stderr.isatty() else "\r"
    if done == total or end == "\r" or done % 200 == 0:
        seconds = time.perf_counter() - started
        print(f"{name}: {done} of {total}, {seconds:.0f} s", end=end, file=sys.stderr, flush=True)


def _rounded(value: Any) -> Any:
    """Numbers to five places, far below their Monte Carlo error."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 5) if isinstance(value, float) else value


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("melanoscope", "numpy", "scipy")}
    return {"python": platform.python_version(), **packages}


def tables(result: dict[str, Any]) -> str:
    """Write all tables of a document, which holds either part or both."""
    blocks = [product_markdown(result["product"])] if "product" in result else []
    return "\n".join([*blocks, *([markdown(result["methods"])] if "methods" in result else [])])


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="both without it")
    parser.add_argument("--setting", action="append", help="by name, several times; all without it")
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=400, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--folder", type=Path, default=Path("runs/null_study"))
    parser.add_argument("--short", action="store_true", help="20 repetitions of a few settings")
    parser.add_argument("--publish", action="store_true", help="write docs/results/null_study.*")
    options = parser.parse_args()
    if options.repetitions < 2 or options.replicates < 100:
        parser.error("at least 2 repetitions and 100 replicates")
    if options.short and options.publish:
        parser.error("the short form is not published")
    wanted = options.setting
    result = {}
    for name in [options.part] if options.part else PARTS:
        chosen = [s for s in PARTS[name].settings if wanted is None or s.name in wanted]
        result[name] = study(
            tuple(chosen[:2] if options.short else chosen),
            part=name,
            repetitions=20 if options.short else options.repetitions,
            replicates=100 if options.short else options.replicates,
            seed=options.seed,
            workers=options.workers,
            folder=None if options.short else options.folder,
        )
    if not options.publish:
        print(tables(result))
        return
    path = RESULTS / "null_study.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    document = {part: one for part, one in {**kept, **result}.items() if part in PARTS}
    path.write_text(json.dumps(document, indent=1) + "\n")
    page = path.with_suffix(".md")
    page.write_text(replaced(page.read_text() if page.exists() else "", tables(document)))


if __name__ == "__main__":
    main()
