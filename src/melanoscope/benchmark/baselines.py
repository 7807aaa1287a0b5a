"""What can be had without looking at the photograph: the archive's name, and age, sex and site.

Each is fitted and tested on the same photographs as the networks of that fold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope import patient
from melanoscope.benchmark.splits import Split
from melanoscope.stats.subgroups.source_balanced_auroc import archive_prevalence

ARCHIVE_ONLY = "archive only"
STATIC_ONLY = "age, sex and site only"
BASELINES = (ARCHIVE_ONLY, STATIC_ONLY)

Floats = NDArray[np.float64]


def baseline_predictions(frame: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Predict a cell's test photographs without their pixels.

    Args:
        frame: The usable photographs.
        split: Rows to learn from and to test on; the validation part is learnt from too.

    Returns:
        Columns image_id, target, baseline, probability.
    """
    learnt = np.concatenate([split.train, split.validation])
    parts = [
        pl.DataFrame(
            {
                "image_id": frame["image_id"].gather(split.test),
                "target": frame["target"].gather(split.test).cast(pl.Int64),
                "baseline": [name] * len(split.test),
                "probability": rule(frame, learnt, split.test),
            }
        )
        for name, rule in _RULES.items()
    ]
    return pl.concat(parts)


def _archive(frame: pl.DataFrame, learnt: NDArray[np.int64], test: NDArray[np.int64]) -> Floats:
    """Each archive's share of melanomas among the photographs learnt from."""
    archive = frame["dataset"].to_numpy()
    return archive_prevalence(
        archive[test],
        train_target=frame["target"].to_numpy()[learnt],
        train_archive=archive[learnt],
    )


def _static(frame: pl.DataFrame, learnt: NDArray[np.int64], test: NDArray[np.int64]) -> Floats:
    """Logistic regression on what the static branch is given."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    told = patient.encode(frame["age"].to_list(), frame["sex"].to_list(), frame["site"].to_list())
    target = frame["target"].to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(told[learnt], target[learnt])
    probability: Floats = model.predict_proba(told[test])[:, 1].astype(np.float64)
    return probability


_RULES: dict[str, Callable[[pl.DataFrame, NDArray[np.int64], NDArray[np.int64]], Floats]] = {
    ARCHIVE_ONLY: _archive,
    STATIC_ONLY: _static,
}
