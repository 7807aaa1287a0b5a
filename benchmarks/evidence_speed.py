"""How long the bootstrap takes: its 8 metrics, 2,000 replicates of the groups, the poster's size.

    python benchmarks/evidence_speed.py [--json FILE]

22 networks' predictions of 37,648 photographs (2,056 patients with 33,126 of them, 584 melanomas;
4,522 melanomas alone) in five folds. Beside it, in the same run, the plain loop: each replicate
gathers its photographs and asks scikit-learn for each metric. The loop is timed on a few replicates
and scaled; both do the same work on one network first, so that nothing is warmed for one alone.
Processor time is given beside the clock's, since other programs may be running.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    recall_score,
    roc_auc_score,
)

from loop_timing import beside_loop
from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many, group_bootstrap
from melanoscope.stats.bootstrap.weighted_metrics import RESAMPLED_METRICS
from melanoscope.stats.predictions import Predictions

NETWORKS, REPLICATES, PARTS = 22, 2000, 5
PATIENTS, OF_PATIENTS, MELANOMAS, ALONE = 2056, 33126, 584, 4522


def simulate() -> list[Predictions]:
    """Draw predictions of the poster's size; patients' photographs vary in number as in ISIC."""
    rng = np.random.default_rng(0)
    share = rng.gamma(1.2, size=PATIENTS)
    of_patient = rng.choice(PATIENTS, OF_PATIENTS, p=share / share.sum())
    group = np.concatenate([of_patient, PATIENTS + np.arange(ALONE)])
    target = np.concatenate(
        [rng.permutation(OF_PATIENTS) < MELANOMAS, np.ones(ALONE, bool)]
    ).astype(np.int64)
    fold = rng.integers(0, PARTS, PATIENTS + ALONE)[group]
    common = 1.5 * target + rng.normal(size=target.size)
    found = []
    for _ in range(NETWORKS):
        score = common + rng.normal(size=target.size) - 2.5
        found.append(
            Predictions(
                target=target,
                probability=1 / (1 + np.exp(-score)),
                threshold=np.full(target.size, 0.3),
                fold_id=fold,
                group=group,
                image_index=np.arange(target.size),
            )
        )
    return found


def plain(one: Predictions, replicates: int, seed: int) -> None:
    """One network by the plain loop."""
    rng = np.random.default_rng(seed)
    groups = np.unique(one.group)
    members = {g: np.flatnonzero(one.group == g) for g in groups}
    for _ in range(replicates):
        rows = np.concatenate([members[g] for g in rng.choice(groups, groups.size)])
        y, p, t = one.target[rows], one.probability[rows], one.threshold[rows]
        for fold in one.fold_ids:
            m = one.fold_id[rows] == fold
            called = p[m] >= t[m]
            roc_auc_score(y[m], p[m])
            average_precision_score(y[m], p[m])
            roc_auc_score(1 - y[m], -p[m], max_fpr=0.2)
            for score in (accuracy_score, balanced_accuracy_score, f1_score):
                score(y[m], called)
        called = p >= t
        recall_score(y, called)
        recall_score(y, called, pos_label=0)


def main() -> None:
    """Time both and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--loop-replicates", type=int, default=24, help="timed, then scaled")
    arguments = parser.parse_args()
    networks = simulate()
    group_bootstrap(networks[0], replicates=10)
    plain(networks[0], 1, 0)
    named = {str(i): one for i, one in enumerate(networks)}
    result = {
        "networks": NETWORKS,
        "photographs": int(networks[0].target.size),
        "melanomas": int(networks[0].target.sum()),
        "groups": networks[0].n_groups,
        "replicates": REPLICATES,
        "metrics": list(RESAMPLED_METRICS),
        **beside_loop(
            lambda: bootstrap_many(named, replicates=REPLICATES),
            lambda replicates: plain(networks[0], replicates, 1),
            timed_replicates=arguments.loop_replicates,
            wanted=REPLICATES * NETWORKS,
        ),
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
