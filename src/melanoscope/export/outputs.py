"""What networks and the gate see of rows of a catalog."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from melanoscope.imaging.decode import image_dimensions
from melanoscope.inference.quality.measures import QualityMeasures, measure_quality
from melanoscope.models.lesion_net import LesionNet, to_images
from melanoscope.training.batches import ordered_batches

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.inference.onnx_session import OnnxModel
    from melanoscope.training.batches import LesionArrays

Rows = NDArray[np.int64]
_BATCH = 64


@dataclass(frozen=True, eq=False)
class GraphOutputs:
    """What a graph says of photographs.

    Attributes:
        logit: Shape (n,).
        distance: From the training photographs, shape (n,).
    """

    logit: NDArray[np.float64]
    distance: NDArray[np.float64]


def run_graph(graph: OnnxModel, arrays: LesionArrays, rows: Rows) -> GraphOutputs:
    """Run a bundle's graph over rows of the catalog."""
    logits, distances = [], []
    for start in range(0, len(rows), _BATCH):
        pixels, known = pixels_of(arrays, rows[start : start + _BATCH])
        out = graph(pixels=pixels, static=known)
        logits.append(out["logit"])
        distances.append(out["distance"])
    return GraphOutputs(*(np.concatenate(part).astype(np.float64) for part in (logits, distances)))


def pixels_of(arrays: LesionArrays, rows: Rows) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a graph's inputs: pixels (n, px, px, 3) and static data (n, 1, `static.WIDTH`)."""
    return np.ascontiguousarray(arrays.pixels[arrays.rows[rows]]), arrays.static[rows][:, None]


@torch.inference_mode()
def train_features(network: LesionNet, arrays: LesionArrays, rows: Rows) -> NDArray[np.float32]:
    """Return the averaged features of photographs, shape (n, c), as the graph's `features`."""
    network = network.cpu().eval()
    seen = [
        network.features(to_images(pixels)).mean(dim=(2, 3)).numpy()
        for pixels, _, _ in ordered_batches(arrays, rows, _BATCH)
    ]
    features: NDArray[np.float32] = np.concatenate(seen)
    return features


def qualities(subject: TrainedModel, rows: Rows) -> list[QualityMeasures]:
    """Measure what the gate looks at."""
    paths = subject.frame["path"].gather(rows).to_list()

    def one(place: int) -> QualityMeasures:
        width, height = image_dimensions(Path(paths[place]))
        row = subject.arrays.rows[rows[place]]
        return measure_quality(np.asarray(subject.arrays.pixels[row]), width, height)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, range(len(rows))))


def sample(rows: Rows, most: int, seed: int = 0) -> Rows:
    """Return at most so many rows, drawn without replacement, in their order."""
    if len(rows) <= most:
        return rows
    drawn: Rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return drawn
