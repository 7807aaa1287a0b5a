"""How often the set of possible best networks holds the best, and what the flattery is worth.

    python benchmarks/network_selection.py --json docs/results/network_selection.json \
        --markdown docs/results/network_selection.md

Studies of cross-validation by group are simulated as for null_study.py, where the expected AUROC of
every network is known. Needs no photographs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.intervals.proportion import wilson_interval
from melanoscope.stats.selection.best import compare_with_best
from melanoscope.stats.selection.paired_differences import paired_differences
from melanoscope.stats.selection.winner import winners_flattery
from null_study_parts.methods import bootstrap, draws, ranked, strata
from null_study_parts.simulate import Floats, Setting, divide, draw, trained_parts

_SMALL = partial(Setting, grouping="lesions", photographs=500, prevalence=0.2)
SETTINGS = (
    _SMALL("8 networks alike, 500 lesions", folds=5, networks=4),
    _SMALL("22 networks alike, 500 lesions", folds=5, networks=11),
    _SMALL("ten folds, much chance", folds=10, networks=4, noise=1.0),
    _SMALL("two folds", folds=2, networks=4),
    Setting("few patients", "patients", 1000, 0.15, 5, networks=4),
    _SMALL("4 of 8 better by 0.05", folds=5, networks=4, gain=0.05),
    Setting("4 of 8 better by 0.05, 3400 lesions", "lesions", 3400, 0.2, 5, networks=4, gain=0.05),
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """One simulated study of k networks.

    Attributes:
        like: Whether each may be the best, shape (k,).
        low: Lower bound of its distance to the best of the others, shape (k,).
        high: Upper bound, shape (k,).
        auroc: Mean over folds, shape (k,).
        truth: True AUROC of its networks, mean over folds, shape (k,).
        flattery: Of the largest AUROC.
    """

    like: Floats
    low: Floats
    high: Floats
    auroc: Floats
    truth: Floats
    flattery: float


def simulate(setting: Setting, replicates: int, seed: int, number: int) -> Outcome:
    """Simulate one study and compare its networks."""
    rng = np.random.default_rng([seed, number, *setting.name.encode()])
    study = draw(setting, rng)
    fold = divide(study, setting.folds, rng)
    parts = trained_parts(setting, study, fold, rng)
    pairs = [ranked(study, part) for part in parts]
    values = np.stack([pair.auroc for pair in pairs], axis=1)
    weights = draws(strata(study.group, study.target, fold), replicates, rng, rescale=True)
    replicated = bootstrap(pairs, study.group, weights).T
    holders = [np.unique(study.group[study.target == side]).size for side in (0, 1)]
    differences = paired_differences(
        values,
        replicated,
        folds=setting.folds,
        n_train=float(np.mean([part.n_train for part in parts])),
        n_test=float(np.mean([part.photograph.size for part in parts])),
        degrees_of_freedom=min(holders) - 1.0,
    )
    found = compare_with_best(differences, n=1)
    auroc = values.mean(axis=1)
    return Outcome(
        like=np.array([one.may_be_best for one in found], float),
        low=np.array([one.interval.low for one in found]),
        high=np.array([one.interval.high for one in found]),
        auroc=auroc,
        truth=np.mean([part.truth for part in parts], axis=0),
        flattery=winners_flattery(auroc, replicated, differences),
    )


def rates(setting: Setting, outcomes: list[Outcome]) -> dict[str, Any]:
    """Compare many studies with the expectation, which arms of one kind have in common."""
    like, low, high, auroc = (
        np.stack([getattr(one, name) for one in outcomes])
        for name in ("like", "low", "high", "auroc")
    )
    arms = np.mean([one.truth for one in outcomes], axis=0).reshape(-1, 2).mean(axis=0)
    truth = np.tile(arms if setting.gain else np.full(2, arms.mean()), setting.networks)
    best = truth == truth.max()
    distance = np.array([one - np.delete(truth, i).max() for i, one in enumerate(truth)])
    hold = ((low <= distance + 1e-12) & (distance <= high + 1e-12)).all(axis=1)
    wrong = ((low > -MARGIN) & (distance <= -MARGIN)).any(axis=1)
    return {
        "setting": asdict(setting),
        "best_in_set": _share(like[:, best.argmax()]),
        "a_best_in_set": float(like[:, best].mean()),
        "worse_in_set": float(like[:, ~best].mean()) if (~best).any() else None,
        "intervals_hold": _share(hold),
        "falsely_within_margin": _share(wrong),
        "flattery": float(np.mean([one.flattery for one in outcomes])),
        "true_flattery": float((auroc.max(axis=1) - truth[auroc.argmax(axis=1)]).mean()),
    }


def _share(marks: Floats) -> dict[str, float]:
    found = wilson_interval(int(marks.sum()), marks.size)
    return {"estimate": found.estimate, "low": found.low, "high": found.high}


def _computed(one: Callable[[int], Outcome], repetitions: int, workers: int) -> list[Outcome]:
    if not workers:
        return [one(number) for number in range(repetitions)]
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(one, range(repetitions), chunksize=10))


def study(repetitions: int, replicates: int, seed: int, workers: int) -> dict[str, Any]:
    """Run every setting and return everything as plain values."""
    started, found = time.perf_counter(), []
    for setting in SETTINGS:
        outcomes = _computed(partial(simulate, setting, replicates, seed), repetitions, workers)
        found.append(rates(setting, outcomes))
        print(f"{setting.name}: {time.perf_counter() - started:.0f} s", flush=True)
    named = {"repetitions": repetitions, "bootstrap_replicates": replicates, "seed": seed}
    return named | {"seconds": round(time.perf_counter() - started, 1), "settings": found}


def table(result: dict[str, Any]) -> str:
    """Write the rates as a table of Markdown."""
    head = "setting | best in the set | all intervals hold | worse ones in the set | flattery: said"
    lines = [f"| {head} | true |", "| --- " * 6 + "|"]
    for one in result["settings"]:
        shares = [one["best_in_set"]["estimate"], one["intervals_hold"]["estimate"]]
        shares.append(one["worse_in_set"])
        words = ["" if share is None else f"{100 * share:.1f}" for share in shares]
        words += [f"{one[name]:.4f}" for name in ("flattery", "true_flattery")]
        lines.append(f"| {one['setting']['name']} | {' | '.join(words)} |")
    return "\n".join(lines)


def main() -> None:
    """Compute, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=400, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path, help="write all rates here")
    parser.add_argument("--markdown", type=Path, help="replace the table in this file")
    options = parser.parse_args()
    result = study(options.repetitions, options.replicates, options.seed, options.workers)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.markdown:
        mark = "<!-- table -->"
        before, _, after = options.markdown.read_text().split(mark)
        options.markdown.write_text(f"{before}{mark}\n{table(result)}\n{mark}{after}")
    print(table(result))


if __name__ == "__main__":
    main()
