"""How long it takes to compare models of several classes: all pairs of all metrics.

    python benchmarks/compare_speed.py [--json FILE]

Eight networks' predictions of 37,648 photographs (2,056 patients with 33,126 of them, the others
alone) for seven classes, 2,000 replicates of the groups, and by each of 11 metrics every two
networks. Beside it, in the same run, the plain loop: each replicate gathers its photographs and
asks scikit-learn for each metric of each network. The loop is timed on a few replicates of one
network and scaled; both do a little first, so that nothing is warmed for one alone. Processor time
is given beside the clock's, since other programs may be running.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    roc_auc_score,
)

from loop_timing import beside_loop
from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many
from melanoscope.stats.bootstrap.weighted_multiclass import multiclass_metrics
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.multiclass_predictions import MulticlassPredictions
from melanoscope.stats.pairwise import compare_pairs

NETWORKS, CLASSES, REPLICATES, MARGIN = 8, 7, 2000, 0.02
PATIENTS, OF_PATIENTS, ALONE = 2056, 33126, 4522
SHARES = (0.60, 0.14, 0.10, 0.08, 0.04, 0.02, 0.02)


def simulate() -> dict[str, MulticlassPredictions]:
    """Draw predictions; patients' photographs vary in number as in ISIC."""
    rng = np.random.default_rng(0)
    share = rng.gamma(1.2, size=PATIENTS)
    of_patient = rng.choice(PATIENTS, OF_PATIENTS, p=share / share.sum())
    group = np.concatenate([of_patient, PATIENTS + np.arange(ALONE)])
    n = group.size
    target = rng.choice(CLASSES, n, p=SHARES).astype(np.int64)
    common = 1.5 * np.eye(CLASSES)[target] + rng.normal(size=(n, CLASSES))
    found = {}
    for number in range(NETWORKS):
        score = np.exp(common + rng.normal(size=(n, CLASSES)))
        found[f"network {number}"] = MulticlassPredictions(
            target=target,
            probability=score / score.sum(axis=1, keepdims=True),
            group=group,
            image_index=np.arange(n),
            fold_id=np.zeros(n, np.int64),
        )
    return found


def compare(networks: dict[str, MulticlassPredictions], replicates: int) -> int:
    """Resample, and compare every two networks by every metric: the number of comparisons."""
    resampled = bootstrap_many(networks, replicates=replicates)
    design = CrossValidation(1, 1, 1)
    return sum(
        len(compare_pairs(resampled, networks, metric=m, design=design, margin=MARGIN))
        for m in multiclass_metrics(CLASSES)
    )


def plain(one: MulticlassPredictions, replicates: int, seed: int) -> None:
    """One network by the plain loop."""
    rng = np.random.default_rng(seed)
    groups = np.unique(one.group)
    members = {g: np.flatnonzero(one.group == g) for g in groups}
    for _ in range(replicates):
        rows = np.concatenate([members[g] for g in rng.choice(groups, groups.size)])
        y, p = one.target[rows], one.probability[rows]
        called = p.argmax(axis=1)
        accuracy_score(y, called)
        balanced_accuracy_score(y, called)
        f1_score(y, called, average="macro")
        # The macro average is the mean of these.
        roc_auc_score(y, p, multi_class="ovr", average=None)


def main() -> None:
    """Time both and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--loop-replicates", type=int, default=24, help="timed, then scaled")
    arguments = parser.parse_args()
    networks = simulate()
    first = next(iter(networks.values()))
    compare(dict(list(networks.items())[:2]), 10)
    plain(first, 1, 0)
    comparisons: list[int] = []
    speed = beside_loop(
        lambda: comparisons.append(compare(networks, REPLICATES)),
        lambda replicates: plain(first, replicates, 1),
        timed_replicates=arguments.loop_replicates,
        wanted=REPLICATES * NETWORKS,
    )
    result = {
        "networks": NETWORKS,
        "classes": CLASSES,
        "photographs": int(first.target.size),
        "groups": first.n_groups,
        "replicates": REPLICATES,
        "metrics": list(multiclass_metrics(CLASSES)),
        "comparisons": comparisons[0],
        **speed,
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
