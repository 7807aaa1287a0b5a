"""What a bundle's graph, its network and its quality gate say of photographs of the catalog."""

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
from melanoscope.models.lesion_net import to_images
from melanoscope.training.batches import ordered_batches

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.inference.onnx_session import OnnxModel
    from melanoscope.training.batches import LesionArrays

Rows = NDArray[np.int64]
"""Rows of the catalog, shape (n,)."""

_BATCH = 64


@dataclass(frozen=True, eq=False)
class GraphOutputs:
    """What a graph says of n photographs.

    Attributes:
        image_id: Id of each photograph.
        logit: Logit of melanoma, shape (n,).
        distance: Distance from the training photographs, shape (n,).
    """

    image_id: tuple[str, ...]
    logit: NDArray[np.float64]
    distance: NDArray[np.float64]


def run_graph(graph: OnnxModel, model: TrainedModel, rows: Rows) -> GraphOutputs:
    """Run a bundle's graph over photographs.

    Args:
        graph: Graph that `onnx_model.export_model` or `quantization.quantize` wrote.
        model: The trained model that holds the photographs.
        rows: Rows of its catalog, shape (n,).

    Returns:
        The outputs, in the order of `rows`.
    """
    logits, distances = [], []
    for start in range(0, len(rows), _BATCH):
        pixels, static = graph_inputs(model.arrays, rows[start : start + _BATCH])
        outputs = graph(pixels=pixels, static=static)
        logits.append(outputs["logit"])
        distances.append(outputs["distance"])
    return GraphOutputs(
        image_id=image_ids(model, rows),
        logit=np.concatenate(logits).astype(np.float64),
        distance=np.concatenate(distances).astype(np.float64),
    )


def image_ids(model: TrainedModel, rows: Rows) -> tuple[str, ...]:
    """Return the ids of photographs, in the order of `rows`."""
    return tuple(model.frame["image_id"].gather(rows))


def graph_inputs(arrays: LesionArrays, rows: Rows) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the inputs of a bundle's graph.

    Args:
        arrays: Photographs and static data.
        rows: Rows of the catalog, shape (n,).

    Returns:
        `pixels`, shape (n, side, side, 3), and `static`, shape (n, 1, `patient.WIDTH`).
    """
    return np.ascontiguousarray(arrays.pixels[arrays.rows[rows]]), arrays.static[rows][:, None]


@torch.inference_mode()
def train_features(model: TrainedModel, rows: Rows) -> NDArray[np.float32]:
    """Return the network's features of photographs, averaged over places.

    Args:
        model: The trained model.
        rows: Rows of its catalog, shape (n,).

    Returns:
        Shape (n, channels), as the output `features` of the graph.
    """
    network = model.network.cpu().eval()
    features: NDArray[np.float32] = np.concatenate(
        [
            network.features(to_images(pixels)).mean(dim=(2, 3)).numpy()
            for pixels, _, _ in ordered_batches(model.arrays, rows, _BATCH)
        ]
    )
    return features


def measure_qualities(model: TrainedModel, rows: Rows) -> dict[str, QualityMeasures]:
    """Measure what the quality gate looks at.

    Args:
        model: The trained model that holds the photographs.
        rows: Rows of its catalog, shape (n,).

    Returns:
        Image id -> measures, in the order of `rows`.
    """
    paths = model.frame["path"].gather(rows).to_list()

    def measure(row: int, path: str) -> QualityMeasures:
        width, height = image_dimensions(Path(path))
        pixels = model.arrays.pixels[model.arrays.rows[row]]
        return measure_quality(np.asarray(pixels), width, height)

    with ThreadPoolExecutor() as pool:
        return dict(zip(image_ids(model, rows), pool.map(measure, rows, paths), strict=True))


def sample_rows(rows: Rows, most: int, seed: int = 0) -> Rows:
    """Draw rows without replacement.

    Args:
        rows: Rows of the catalog, shape (n,).
        most: Largest number of rows that is returned.
        seed: Seed of the drawing.

    Returns:
        All rows where n is at most `most`, else `most` of them, ascending.
    """
    if len(rows) <= most:
        return rows
    sampled: Rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return sampled
