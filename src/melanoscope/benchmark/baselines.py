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

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def baseline_predictions(frame: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Predict the test photographs of `split`, rows of `frame`, without their pixels."""
    learned = np.concatenate([split.train, split.validation])
    return pl.concat(
        pl.DataFrame(
            {
                "image_id": frame["image_id"].gather(split.test),
                "target": frame["target"].gather(split.test).cast(pl.Int64),
                "baseline": [name] * len(split.test),
                "probability": predict(frame, learned, split.test),
            }
        )
        for name, predict in _BASELINES.items()
    )


def _archive_only(frame: pl.DataFrame, learned: Rows, test: Rows) -> Floats:
    """Predict each archive's share of positives among the photographs learnt from."""
    archive = frame["dataset"].to_numpy()
    return archive_prevalence(
        archive[test],
        train_target=frame["target"].to_numpy()[learned],
        train_archive=archive[learned],
    )


def _static_only(frame: pl.DataFrame, learned: Rows, test: Rows) -> Floats:
    """Predict by logistic regression on what the static branch is given."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    static = patient.encode(frame["age"].to_list(), frame["sex"].to_list(), frame["site"].to_list())
    target = frame["target"].to_numpy()
    # Not the default: where memory ends, SciPy's L-BFGS was seen to iterate without end.
    model = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))
    model.fit(static[learned], target[learned])
    probability: Floats = model.predict_proba(static[test])[:, 1].astype(np.float64)
    return probability


_BASELINES: dict[str, Callable[[pl.DataFrame, Rows, Rows], Floats]] = {
    ARCHIVE_ONLY: _archive_only,
    STATIC_ONLY: _static_only,
}
