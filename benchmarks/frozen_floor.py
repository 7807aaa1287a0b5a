"""The floor a comparison must reach: logistic regression on a frozen backbone's pooled features.

    python benchmarks/frozen_floor.py RUN --weights DIR [--backbone mobilenet_v2]

Reads RUN's catalog and folds, so the numbers stand beside those of RUN on the same photographs.
No augmentation, no validation part: all training photographs of a fold are used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.hardware import describe_hardware
from melanoscope.models.lesion_net import pretrained, to_images
from melanoscope.stats.intervals.crossval_interval import corrected_t_interval
from melanoscope.stats.metrics.classification import auroc
from melanoscope.training.batches import arrays_of, ordered_batches
from melanoscope.training.precision import describe_accelerator

Floats = NDArray[np.float64]


def pooled_features(
    backbone: str, weights: Path | None, frame: pl.DataFrame, px: int, cache: Path
) -> tuple[Floats, Floats]:
    """Return pooled features and static data of all photographs, one row each."""
    arrays = arrays_of(frame, open_pixel_store(Catalog(frame), px, cache))
    network = pretrained(backbone, weights).eval()
    pooled = []
    with torch.inference_mode():
        for pixels, _, _ in ordered_batches(arrays, np.arange(len(frame)), 64):
            pooled.append(network.features(to_images(pixels)).mean(dim=(2, 3)))
    return torch.cat(pooled).double().numpy(), arrays.static.astype(np.float64)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    options = parser.parse_args()
    px = json.loads((options.run / "run.json").read_text())["configuration"]["size"]
    frame = pl.read_parquet(options.run / "catalog.parquet")
    target, folds = frame["target"].to_numpy(), frame["fold_r0"].to_numpy()
    photograph, known = pooled_features(options.backbone, options.weights, frame, px, options.cache)
    result: dict[str, object] = {
        "hardware": describe_hardware() | describe_accelerator(),
        "backbone": options.backbone,
        "size": px,
    }
    inputs = {"photograph": photograph, "photograph and static": np.hstack([photograph, known])}
    for name, features in inputs.items():
        scores = []
        for fold in np.unique(folds):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500))
            model.fit(features[folds != fold], target[folds != fold])
            probability = model.predict_proba(features[folds == fold])[:, 1]
            scores.append(auroc(target[folds == fold], probability))
        n_test = len(target) / len(scores)
        interval = corrected_t_interval(scores, n_train=len(target) - n_test, n_test=n_test)
        result[name] = {
            "auroc": interval.estimate,
            "low": interval.low,
            "high": interval.high,
            "folds": [round(score, 4) for score in scores],
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
