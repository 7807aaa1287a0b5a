"""What a bundle's graph, its network and its quality gate say of photographs.

`rows`, shape (n,), number the photographs of `TrainedModel.arrays`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.imaging.decode import image_dimensions
from melanoscope.inference.quality.measures import QualityMeasures, measure_quality
from melanoscope.models.lesion_net import to_images
from melanoscope.threads import thread_pool
from melanoscope.training.batches import ordered_batches

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.inference.onnx_session import OnnxModel
    from melanoscope.training.batches import LesionArrays

Rows = NDArray[np.int64]

_BATCH = 64


@dataclass(frozen=True, eq=False)
class GraphOutputs:
    """What a graph says of n photographs: ids, logits (n,) and distances from the training."""

    image_id: tuple[str, ...]
    logit: NDArray[np.float64]
    distance: NDArray[np.float64]


def run_graph(graph: OnnxModel, model: TrainedModel, rows: Rows) -> GraphOutputs:
    """Run a bundle's graph over photographs `rows` of `model.arrays`, in their order."""
    logits, distances = [], []
    for start in range(0, len(rows), _BATCH):
        pixels, static = graph_inputs(model.arrays, rows[start : start + _BATCH])
        outputs = graph(pixels=pixels, static=static)
        logits.append(outputs["logit"])
        distances.append(outputs["distance"])
    said = GraphOutputs(
        image_id=tuple(model.arrays.image_id[rows].tolist()),
        logit=np.concatenate(logits).astype(np.float64),
        distance=np.concatenate(distances).astype(np.float64),
    )
    _require_finite(said)
    return said


def _require_finite(outputs: GraphOutputs) -> None:
    finite = np.isfinite(outputs.logit) & np.isfinite(outputs.distance)
    if not finite.all():
        first = outputs.image_id[int(finite.argmin())]
        raise StatisticsError(
            "a network that gives finite numbers on held-out photographs",
            f"NaN or infinity for {int((~finite).sum())} of {finite.size}, '{first}' first",
            "train it anew, with a lower learning rate or another seed",
        )


def graph_inputs(arrays: LesionArrays, rows: Rows) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return `pixels` (n, side, side, 3) and `static` (n, 1, `patient.WIDTH`) of `rows`."""
    return np.ascontiguousarray(arrays.pixels[arrays.rows[rows]]), arrays.static[rows][:, None]


@torch.inference_mode()
def train_features(model: TrainedModel, rows: Rows) -> NDArray[np.float32]:
    """Return the features of photographs `rows`, averaged over places, shape (n, channels)."""
    network = model.network.cpu().eval()
    features: NDArray[np.float32] = np.concatenate(
        [
            network.features(to_images(pixels)).mean(dim=(2, 3)).numpy()
            for pixels, _, _ in ordered_batches(model.arrays, rows, _BATCH)
        ]
    )
    return features


def measure_qualities(model: TrainedModel, rows: Rows) -> dict[str, QualityMeasures]:
    """Return what the quality gate measures of photographs `rows`, by image id."""
    arrays = model.arrays
    image_ids = arrays.image_id[rows].tolist()
    paths = dict(model.frame.select("image_id", "path").iter_rows())

    def measure(row: int, image_id: str) -> QualityMeasures:
        width, height = image_dimensions(Path(paths[image_id]))
        return measure_quality(np.asarray(arrays.pixels[arrays.rows[row]]), width, height)

    with thread_pool() as pool:
        return dict(zip(image_ids, pool.map(measure, rows, image_ids), strict=True))


def sample_rows(rows: Rows, most: int, seed: int = 0) -> Rows:
    """Draw at most `most` of `rows` without replacement; fewer than all are ascending."""
    if len(rows) <= most:
        return rows
    sampled: Rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return sampled
