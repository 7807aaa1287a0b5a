"""The same predictions as different tools write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.comparison.read_predictions import read_predictions

WORDS = ("MEL", "NV", "BCC")


def softmax(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    scores = np.exp(rng.normal(size=(n, k)))
    return scores / scores.sum(axis=1, keepdims=True)


def write_csv(path: Path, columns: dict, separator: str = ",") -> Path:
    pl.DataFrame(columns).write_csv(path, separator=separator)
    return path


def printed_array(values) -> str:
    """What pandas writes of a cell that holds an array, as timm's script leaves it."""
    return str(np.array(values))


def timm_columns(ids, classes, probability, topk: int, *, separate: bool) -> dict:
    """Columns of timm's inference.py with labels and indices."""
    order = np.argsort(-probability, axis=1, kind="stable")[:, :topk]
    sorted_values = np.take_along_axis(probability, order, axis=1).astype(np.float32)
    labels = np.array(classes, object)[order]
    columns = {"filename": [f"{one}.jpg" for one in ids]}
    if separate and topk > 1:
        columns |= {f"index_{i}": order[:, i] for i in range(topk)}
        columns |= {f"label_{i}": labels[:, i].tolist() for i in range(topk)}
        columns |= {f"prob_{i}": sorted_values[:, i] for i in range(topk)}
        return columns
    if topk == 1:
        return columns | {"label": labels[:, 0].tolist(), "prob": sorted_values[:, 0]}
    columns["index"] = [printed_array(row) for row in order]
    columns["label"] = [str(row) for row in labels]
    columns["prob"] = [printed_array(row) for row in sorted_values]
    return columns


N = 40
IDS = [f"ISIC_{number:07d}" for number in range(N)]
RNG = np.random.default_rng(5)
P = softmax(RNG, N, 3)
ONE = P[:, 0]
LABEL = RNG.integers(0, 3, N)


def read_one(path, **more):
    [model] = read_predictions(path, **more)
    assert "\n" not in model.form
    return model
