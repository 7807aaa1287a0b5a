"""Held-out photographs of made-up logits."""

from __future__ import annotations

import numpy as np
import polars as pl

from melanoscope.export.evaluation import Holdout


def holdout_of(logit, target, **columns) -> Holdout:
    n = len(logit)
    frame = pl.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "dataset": ["one"] * n,
            "group_id": [f"g{k // 2}" for k in range(n)],
            "target": np.asarray(target, np.int8),
            **columns,
        }
    )
    return Holdout(frame, np.asarray(logit, np.float64))
