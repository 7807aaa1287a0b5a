"""The inputs of the comparison with R: closed forms, rounded, so that any machine makes the same.

No random numbers: fractional parts of multiples of square roots are spread evenly enough, and no
version of NumPy gives others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from melanoscope.stats.predictions import Predictions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PATIENTS, FOLDS, NETWORKS = 80, 5, 6
# Sizes of the two columns of a table of results over folds and repeats.
REPEATS = 3
N_TRAIN, N_TEST = 256, 64
SHARES = ((0, 12), (1, 9), (7, 20), (19, 20), (25, 25), (118, 240))
P_VALUES = (0.012, 0.2, 0.0004, 0.04, 0.04, 0.9, 0.0199)
# AUROC and standard error of each archive: five that differ, four that agree, and two.
ARCHIVES = (
    ((0.91, 0.008), (0.84, 0.02), (0.88, 0.015), (0.95, 0.03), (0.79, 0.04)),
    ((0.86, 0.01), (0.865, 0.03), (0.855, 0.02), (0.862, 0.04)),
    ((0.9, 0.01), (0.82, 0.03)),
)
# Studies of two models: AUROCs, correlation of their scores, positives, negatives.
STUDIES = (
    (0.75, 0.85, 0.5, 60, 140),
    (0.85, 0.9, 0.7, 60, 240),
    (0.8, 0.87, 0.2, 150, 150),
)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What both sides compute from.

    Attributes:
        target: Outcome of each photograph, shape (n,).
        probability: Of two networks, the first rounded so that ties occur, shape (2, n).
        group: Patient of each photograph, shape (n,).
        fold: Fold of each photograph; patients are not divided, shape (n,).
        folds: Results of two networks per fold and repeat, shape (2, FOLDS * REPEATS).
        effects: Results of `NETWORKS` networks on each of `PATIENTS` patients, in correlated
            columns, shape (PATIENTS, NETWORKS).
        cells: Results by division, fold and seed of training, shape (4, FOLDS, 3).
    """

    target: Ints
    probability: Floats
    group: Ints
    fold: Ints
    folds: Floats
    effects: Floats
    cells: Floats

    def predictions(
        self, network: int, *, group: Ints | None = None, threshold: float = 0.5
    ) -> Predictions:
        """Return the predictions of a network, each photograph tested in its fold."""
        n = self.target.size
        return Predictions(
            target=self.target,
            probability=self.probability[network],
            threshold=np.full(n, threshold),
            fold_id=self.fold,
            group=self.group if group is None else group,
            image_index=np.arange(n),
        )

    def write(self, folder: Path) -> None:
        """Write everything as text files for R, with 17 digits."""
        photographs = {
            "target": self.target,
            "p1": self.probability[0],
            "p2": self.probability[1],
            "group": self.group,
            "fold": self.fold,
        }
        _csv(folder / "photographs.csv", photographs)
        _csv(folder / "folds.csv", {"a": self.folds[0], "b": self.folds[1]})
        columns = {f"n{i + 1}": self.effects[:, i] for i in range(NETWORKS)}
        _csv(folder / "effects.csv", columns)
        division, fold, seed = np.indices(self.cells.shape).reshape(3, -1)
        cells = {"division": division, "fold": fold, "seed": seed, "value": self.cells.ravel()}
        _csv(folder / "cells.csv", cells)
        hits, n = np.array(SHARES).T
        _csv(folder / "shares.csv", {"hits": hits, "n": n})
        _csv(folder / "p_values.csv", {"p": np.array(P_VALUES)})
        sizes = {"n_train": np.array([N_TRAIN]), "n_test": np.array([N_TEST])}
        _csv(folder / "sizes.csv", sizes)
        numbers = [i for i, rows in enumerate(ARCHIVES) for _ in rows]
        auroc, error = np.array([row for rows in ARCHIVES for row in rows]).T
        _csv(folder / "archives.csv", {"set": np.array(numbers), "auroc": auroc, "error": error})
        names = ("auroc1", "auroc2", "correlation", "positives", "negatives")
        _csv(folder / "studies.csv", dict(zip(names, np.array(STUDIES).T, strict=True)))

    def digest(self) -> str:
        """Return the SHA-256 of all inputs, of which the values in the tests are made."""
        stated = (SHARES, P_VALUES, N_TRAIN, N_TEST, ARCHIVES, STUDIES)
        found = hashlib.sha256(repr(stated).encode())
        for name in self.__dataclass_fields__:
            found.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return found.hexdigest()


def inputs() -> Inputs:
    """Make the inputs."""
    patient = np.arange(PATIENTS)
    group = np.repeat(patient, 1 + patient % 7)
    n = group.size
    lean = _normal(PATIENTS, 2)[group]
    target = (0.8 * lean + _normal(n, 3) > 0.4).astype(np.int64)
    common = _normal(PATIENTS, 5)[group]
    shared = _normal(n, 7)
    score = np.stack(
        [
            1.3 * target + 0.5 * common + 0.6 * shared + 0.7 * _normal(n, prime) - 1.1
            for prime in (11, 13)
        ]
    )
    probability = expit(score * np.array([[1.0], [1.4]]))
    probability = np.stack([probability[0].round(2), probability[1].round(6)])
    cells = FOLDS * REPEATS
    fold_luck = _normal(cells, 17)
    folds = np.stack([0.84 + 0.02 * fold_luck, 0.82 + 0.02 * fold_luck])
    folds = (folds + 0.01 * np.stack([_normal(cells, 19), _normal(cells, 23)])).round(6)
    level = np.array([0.0, 0.1, 0.12, 0.3, 0.31, 0.33])
    noise = np.stack([_normal(PATIENTS, p) for p in (29, 31, 37, 41, 43, 47)], axis=1)
    effects = (level + 0.5 * _normal(PATIENTS, 53)[:, None] + 0.4 * noise).round(6)
    return Inputs(target, probability, group, patient[group] % FOLDS, folds, effects, _cells())


def _cells() -> Floats:
    """Results that vary by division, fold within it, and training within that."""
    divisions, seeds = 4, 3
    size = divisions * FOLDS * seeds
    of_division = _normal(divisions, 59)[:, None, None]
    of_fold = _normal(divisions * FOLDS, 61).reshape(divisions, FOLDS, 1)
    of_training = _normal(size, 67).reshape(divisions, FOLDS, seeds)
    cells: Floats = 0.8 + 0.02 * of_division + 0.03 * of_fold + 0.015 * of_training
    return cells.round(6)


def _normal(n: int, prime: int) -> Floats:
    """Return n numbers spread like a normal sample, from multiples of the root of a prime."""
    part = np.arange(1, n + 1) * np.sqrt(prime) % 1
    return np.asarray(ndtri(np.clip(part, 1e-3, 1 - 1e-3)), np.float64)


def _csv(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    lines = [",".join(columns)]
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    lines += [",".join(repr(value) for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
