"""Simulated studies whose truth is known: photographs in groups, networks, folds.

Every photograph has independent normal features (variance 1, of which `alike` is common to its
group), shifted by the outcome along a known direction. A network is a linear discriminant fitted
in closed form, so its true AUROC on photographs of other groups is Phi(w'mu / sqrt(2 w'w)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from melanoscope.data.folds import assign_folds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIDGE = 0.1
# Groups of 1 to 4 photographs as the 7,470 lesions of HAM10000 (5 and 6 counted as 4).
_LESION_SIZES = (0.738, 0.190, 0.066, 0.006)
# Photographs per patient in ISIC 2020: log-normal, from 2 to 115, mean 16.
_PATIENT_SIZES = (2.386, 0.896, 2, 115)


@dataclass(frozen=True)
class Setting:
    """One kind of simulated study.

    Attributes:
        name: For the tables.
        grouping: "patients" (sizes of ISIC 2020, outcomes that lean together) or "lesions" (mostly
            one photograph, one outcome per lesion).
        photographs: n, all parts together.
        prevalence: Share of melanomas aimed at.
        folds: Parts per repeat.
        repeats: Divisions into folds.
        networks: Pairs of arms A and B, the family of Holm.
        own: Features that only one arm of one network sees; as many are seen by all.
        common: Share of the squared signal that lies in the features seen by all.
        auroc: Of a network with the best coefficients (arm B; arm A too under the null).
        gain: Added to it in arm A.
        noise: Chance in training: norm of a random vector added to the coefficients, over theirs.
        more_noise: Added to that in arm A: its trainings end more unlike each other.
        likeness: Share of a feature's variance that photographs of one group have in common; None
            for that of the grouping.
        dominant: Share of the photographs that are of one patient.
    """

    name: str
    grouping: str
    photographs: int
    prevalence: float
    folds: int
    repeats: int = 1
    networks: int = 10
    own: int = 10
    common: float = 0.6
    auroc: float = 0.8
    gain: float = 0.0
    noise: float = 0.4
    more_noise: float = 0.0
    likeness: float | None = None
    dominant: float = 0.0

    @property
    def alike(self) -> float:
        """Share of a feature's variance that photographs of one group have in common."""
        if self.likeness is not None:
            return self.likeness
        return 0.3 if self.grouping == "patients" else 0.7

    @property
    def null(self) -> bool:
        """Whether both arms are equally good: what `more_noise` costs arm A, `gain` makes up."""
        return not self.gain or self.more_noise > 0

    @property
    def arms(self) -> int:
        """Two per network: A at even, B at odd positions."""
        return 2 * self.networks


@dataclass(frozen=True, eq=False)
class Study:
    """One simulated set of photographs.

    Attributes:
        group: Code of each photograph's group, from 0, shape (n,).
        target: Outcome, shape (n,).
        features: Shape (n, own * (arms + 1)); the first `own` are seen by all.
    """

    group: Ints
    target: Ints
    features: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """Every arm's scores on one test part, and what is true of the networks behind them.

    Attributes:
        photograph: Which photographs of the study, shape (n_test,).
        score: Shape (arms, n_test).
        truth: True AUROC of each arm's network, shape (arms,).
        n_train: Photographs trained on.
    """

    photograph: Ints
    score: Floats
    truth: Floats
    n_train: int


def signal(setting: Setting) -> tuple[Floats, Floats]:
    """Return mu over (seen by all, own) features of arms A and B, each shape (2 * own,)."""
    arms = []
    for auroc in (setting.auroc + setting.gain, setting.auroc):
        squared = 2 * ndtri(auroc) ** 2
        base = 2 * ndtri(setting.auroc) ** 2 * setting.common
        seen_by_all = np.full(setting.own, np.sqrt(base / setting.own))
        alone = np.full(setting.own, np.sqrt((squared - base) / setting.own))
        arms.append(np.concatenate([seen_by_all, alone]))
    return arms[0], arms[1]


def draw(setting: Setting, rng: np.random.Generator) -> Study:
    """Draw groups, outcomes and features."""
    group = _groups(setting, rng)
    target = _outcomes(setting, group, rng)
    mu_a, mu_b = signal(setting)
    own = setting.own
    shift = np.concatenate([mu_a[:own], *([mu_a[own:], mu_b[own:]] * setting.networks)])
    of_group = rng.standard_normal((group[-1] + 1, shift.size))
    features = rng.standard_normal((group.size, shift.size))
    features *= np.sqrt(1 - setting.alike)
    features += np.sqrt(setting.alike) * of_group[group]
    features += target[:, None] * shift
    return Study(group, target, features)


def divide(study: Study, folds: int, rng: np.random.Generator) -> Ints:
    """Divide into folds as a run does: whole groups, both classes; shape (n,)."""
    names = [str(g) for g in study.group]
    return assign_folds(names, study.target.astype(np.int8), folds, int(rng.integers(2**31)))


def trained_parts(
    setting: Setting, study: Study, fold: Ints, rng: np.random.Generator, fixed: Ints | None = None
) -> list[Part]:
    """Train every arm on all folds but one, for each fold, and score.

    Args:
        setting: The kind of study.
        study: The photographs.
        fold: Fold of each photograph, -1 for none, shape (n,).
        rng: For the chance in training.
        fixed: Test these photographs each time, instead of the fold left out.
    """
    found = [moments(study, np.flatnonzero(fold == k)) for k in range(fold.max() + 1)]
    parts = []
    for k in range(len(found)):
        others = [m for j, m in enumerate(found) if j != k]
        count, total, square = (np.sum([m[i] for m in others], axis=0) for i in range(3))
        coefficients = fit(setting, count, total, square, rng)
        chosen = np.flatnonzero(fold == k) if fixed is None else fixed
        score = by_arm(setting, study.features[chosen], coefficients)
        truth = true_auroc(setting, coefficients)
        parts.append(Part(chosen, score, truth, int((fold >= 0).sum() - (fold == k).sum())))
    return parts


def true_auroc(setting: Setting, coefficients: Floats) -> Floats:
    """AUROC of linear scores on photographs of other groups, from the normal distribution.

    >>> s = Setting("", "lesions", 100, 0.3, 5, networks=1)
    >>> true_auroc(s, np.stack(signal(s))).round(6).tolist()
    [0.8, 0.8]
    """
    gained = np.empty(setting.arms)
    for arm, mu in enumerate(signal(setting) * setting.networks):
        gained[arm] = coefficients[arm] @ mu
    length = np.linalg.norm(coefficients, axis=1)
    return np.asarray(ndtr(gained / (np.sqrt(2) * length)), np.float64)


def _groups(setting: Setting, rng: np.random.Generator) -> Ints:
    one = round(setting.dominant * setting.photographs)
    n = setting.photographs - one
    if setting.grouping == "patients":
        mean, spread, low, high = _PATIENT_SIZES
        sizes = np.clip(np.rint(rng.lognormal(mean, spread, n)), low, high).astype(np.int64)
    else:
        sizes = rng.choice(np.arange(1, 5), n, p=_LESION_SIZES)
    group = np.repeat(np.arange(n), sizes)[:n]
    return np.concatenate([group, np.full(one, group[-1] + 1)]).astype(np.int64)


def _outcomes(setting: Setting, group: Ints, rng: np.random.Generator) -> Ints:
    groups = group[-1] + 1
    if setting.grouping == "lesions":
        return np.asarray((rng.random(groups) < setting.prevalence)[group], np.int64)
    leaning = rng.standard_normal(groups)
    # A logit with a normal random effect of variance 1 flattens by about this factor.
    centre = np.log(setting.prevalence / (1 - setting.prevalence)) * np.sqrt(1 + 0.346)
    return np.asarray(rng.random(group.size) < expit(centre + leaning)[group], np.int64)


def moments(study: Study, chosen: Ints) -> tuple[Floats, Floats, Floats]:
    """Counts (2,), sums (2, p) by class, and the sum of squares (p, p)."""
    features, target = study.features[chosen], study.target[chosen]
    count = np.bincount(target, minlength=2).astype(np.float64)
    total = np.stack([features[target == c].sum(axis=0) for c in (0, 1)])
    return count, total, features.T @ features


def fit(
    setting: Setting, count: Floats, total: Floats, square: Floats, rng: np.random.Generator
) -> Floats:
    """Ridge discriminants of all arms, shape (arms, 2 * own): (S + 0.1 I)^-1 (m1 - m0)."""
    mean = total / count[:, None]
    within = (square - (mean.T * count) @ mean) / (count.sum() - 2)
    seen = _seen(setting)
    matrices = within[seen[:, :, None], seen[:, None, :]] + RIDGE * np.eye(2 * setting.own)
    coefficients = np.linalg.solve(matrices, (mean[1] - mean[0])[seen][:, :, None])[:, :, 0]
    chance = rng.standard_normal(coefficients.shape) / np.sqrt(coefficients.shape[1])
    length = np.linalg.norm(coefficients, axis=1, keepdims=True)
    noise = setting.noise + setting.more_noise * (np.arange(len(length)) % 2 == 0)
    return np.asarray(coefficients + noise[:, None] * length * chance, np.float64)


def _seen(setting: Setting) -> Ints:
    """Columns that each arm sees, shape (arms, 2 * own)."""
    own = np.arange(setting.own)
    return np.stack(
        [np.concatenate([own, own + (a + 1) * setting.own]) for a in range(setting.arms)]
    )


def by_arm(setting: Setting, features: Floats, coefficients: Floats) -> Floats:
    """Score photographs by each arm's coefficients, shape (arms, n)."""
    spread = np.zeros((setting.arms, features.shape[1]))
    np.put_along_axis(spread, _seen(setting), coefficients, axis=1)
    return np.asarray(spread @ features.T, np.float64)
