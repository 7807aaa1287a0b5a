"""Networks that answer with probabilities, as a run's cells: thresholds and temperatures included.

A network is the linear discriminant of `simulate` with the intercept of a normal discriminant
analysis, so that its logit on photographs of other groups is normal in each class, with known mean
and spread. A fifth of the training groups is its validation part, which it is not fitted on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.temperature_scaling import fit_temperature
from melanoscope.stats.metrics.thresholds import highest_f1
from melanoscope.stats.predictions import CellPredictions, Predictions
from null_study_parts.simulate import (
    Floats,
    Ints,
    Setting,
    Study,
    by_arm,
    divide,
    draw,
    fit,
    moments,
    signal,
)

VALIDATION = 0.2
# Logits beyond are those of certainty; doubles still tell them from 0 and 1.
_LARGEST = 27.0


@dataclass(frozen=True, eq=False)
class Cell:
    """All arms, trained on one fold's training part.

    Attributes:
        repeat: Number of the division.
        fold: Fold that was left out.
        rows: Its photographs, shape (n_test,).
        checked: Those of the validation part, shape (n_validation,).
        logit: Shape (arms, n_test).
        validation: Logits of the validation part, shape (arms, n_validation).
        threshold: Logit with the highest F1 on the validation part, shape (arms,).
        temperature: Fitted there, shape (arms,).
        mean: Of the logit of new photographs without and with melanoma, shape (2, arms).
        spread: Standard deviation of both, shape (arms,).
        n_train: Photographs trained on, those of the validation part included.
    """

    repeat: int
    fold: int
    rows: Ints
    checked: Ints
    logit: Floats
    validation: Floats
    threshold: Floats
    temperature: Floats
    mean: Floats
    spread: Floats
    n_train: int


@dataclass(frozen=True, eq=False)
class Trained:
    """One simulated study with its networks."""

    setting: Setting
    study: Study
    cells: list[Cell]

    def predictions(self, arm: int, *, tempered: bool = False) -> Predictions:
        """Return the test predictions of an arm over all cells, tempered or as they are."""
        rows = np.concatenate([cell.rows for cell in self.cells])
        divisor = [cell.temperature[arm] if tempered else 1.0 for cell in self.cells]
        x = [cell.logit[arm] / by for cell, by in zip(self.cells, divisor, strict=True)]
        each = [cell.rows.size for cell in self.cells]
        threshold = np.array(
            [cell.threshold[arm] / by for cell, by in zip(self.cells, divisor, strict=True)]
        )
        return Predictions(
            target=self.study.target[rows],
            probability=expit(np.concatenate(x)),
            threshold=np.repeat(expit(threshold), each),
            fold_id=np.repeat(np.arange(len(self.cells)), each),
            group=self.study.group[rows],
            image_index=rows,
        )

    def of_arm(self, arm: int, transfer: str, backbone: str) -> list[CellPredictions]:
        """Return the cells of an arm, as a run has them."""
        return [
            CellPredictions(
                backbone=backbone,
                transfer=transfer,
                repeat=cell.repeat,
                fold=cell.fold,
                image_id=cell.rows,
                target=self.study.target[cell.rows],
                probability=expit(cell.logit[arm]),
                threshold=float(expit(cell.threshold[arm])),
                n_train=cell.n_train,
            )
            for cell in self.cells
        ]


def trained(setting: Setting, rng: np.random.Generator) -> Trained:
    """Draw a study and train every arm on each fold of each repeat."""
    study = draw(setting, rng)
    cells = []
    for repeat in range(setting.repeats):
        fold = divide(study, setting.folds, rng)
        cells += [_cell(setting, study, repeat, k, fold == k, rng) for k in range(setting.folds)]
    return Trained(setting, study, cells)


def _cell(
    setting: Setting,
    study: Study,
    repeat: int,
    fold: int,
    tested: Ints,
    rng: np.random.Generator,
) -> Cell:
    rows, rest = np.flatnonzero(tested), np.flatnonzero(~tested)
    checked = _validation(study, rest, rng)
    fitted = np.setdiff1d(rest, checked)
    count, total, square = moments(study, fitted)
    weight = fit(setting, count, total, square, rng)
    mean = total / count[:, None]
    middle = by_arm(setting, mean, weight).mean(axis=1)
    shift = np.log(count[1] / count[0]) - middle
    x = np.clip(by_arm(setting, study.features[rows], weight) + shift[:, None], -_LARGEST, _LARGEST)
    v = np.clip(
        by_arm(setting, study.features[checked], weight) + shift[:, None], -_LARGEST, _LARGEST
    )
    gained = [weight[arm] @ mu for arm, mu in enumerate(signal(setting) * setting.networks)]
    target = study.target[checked]
    return Cell(
        repeat=repeat,
        fold=fold,
        rows=rows,
        checked=checked,
        logit=x,
        validation=v,
        threshold=logit(np.array([highest_f1(target, expit(one)) for one in v])),
        temperature=np.array([_temperature(target, one) for one in v]),
        mean=np.stack([shift, shift + np.array(gained)]),
        spread=np.linalg.norm(weight, axis=1),
        n_train=rest.size,
    )


def _validation(study: Study, rest: Ints, rng: np.random.Generator) -> Ints:
    """Choose a fifth of the groups, with and without melanomas alike; two of each at least."""
    chosen = []
    holds = np.bincount(study.group, study.target) > 0
    groups = np.unique(study.group[rest])
    for side in (groups[holds[groups]], groups[~holds[groups]]):
        size = min(max(round(VALIDATION * side.size), 2), side.size // 2)
        chosen.append(rng.permutation(side)[:size])
    return rest[np.isin(study.group[rest], np.concatenate(chosen))]


def _temperature(target: Ints, x: Floats) -> float:
    with suppress(StatisticsError):  # few photographs: separated, or nothing is best
        return fit_temperature(target, expit(x))
    return 1.0
