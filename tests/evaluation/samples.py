"""Photographs with made-up answers of a made-up bundle."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.inference.manifest import BundleManifest
from tests.inference.manifests import merged, record_of

TEMPERATURE, DEVELOPED, ASSUMED = 2.0, 0.4, 0.1
THRESHOLD = 0.5  # a logit


def manifest_of(**changes: Any) -> BundleManifest:
    """Return a manifest whose calibration is known, with other `changes`."""
    record = merged(
        record_of(int8=False),
        {
            "calibration": {"temperature": TEMPERATURE, "prevalence": DEVELOPED},
            "prevalence": ASSUMED,
            **changes,
        },
    )
    record["thresholds"][0]["logit"] = THRESHOLD
    return BundleManifest.from_dict(record)


def sample_of(logit: Any, target: Any, **columns: Any) -> EvaluationSample:
    """Return photographs with these logits (None: unreadable), two of each patient."""
    n = len(target)
    usual = {
        "image_id": [f"i{k}" for k in range(n)],
        "dataset": ["elsewhere"] * n,
        "center": [None] * n,
        "image_type": ["dermoscopic"] * n,
        "group_id": [f"g{k // 2}" for k in range(n)],
        "sex": ["female" if k % 3 else "male" for k in range(n)],
        "age": [20.0 + k % 60 for k in range(n)],
        "site": ["torso"] * n,
        "diagnosis": ["melanoma" if one else "nevus" for one in target],
        "license": [None] * n,
        "status": ["failed" if one is None else "accepted" for one in logit],
        "forced": [False] * n,
        "concerns": [""] * n,
    }
    frame = pl.DataFrame(
        {
            **usual,
            "target": np.asarray(target, np.int8),
            "logit": pl.Series([None if x is None else float(x) for x in logit], dtype=pl.Float64),
            **columns,
        }
    )
    return EvaluationSample(frame=frame, manifest=manifest_of())


def drawn(n: int = 600, *, intercept: float = 0.0, slope: float = 1.0, seed: int = 0) -> Any:
    """Draw logits, and targets that are true to the bundle's calibration but for a line."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 2.5, n)
    linear = intercept + slope * logit / TEMPERATURE
    return logit, (rng.random(n) < 1 / (1 + np.exp(-linear))).astype(np.int64)
