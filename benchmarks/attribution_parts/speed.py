"""Size of a gradient graph, and how long it takes to make, to load and to run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from melanoscope.export.onnx_gradient import export_gradient
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.models.lesion_net import LesionNet

BATCH = 8


REPEATS = 7


def speed(network: LesionNet, px: int, path: Path) -> tuple[OnnxModel, dict[str, Any]]:
    """Export a gradient graph and time it on one thread."""
    started = time.process_time()
    export_gradient(network, px, path)
    exported = time.process_time() - started
    started = time.perf_counter()
    graph = OnnxModel(path, 1)
    loaded = time.perf_counter() - started
    images = np.random.default_rng(0).random((BATCH, 3, px, px), np.float32)
    took = [_timed(lambda: graph(images=images)) for _ in range(REPEATS)]
    eager = [_timed(lambda: _backward(network, images)) for _ in range(REPEATS)]
    return graph, {
        "bytes": path.stat().st_size,
        "export_processor_seconds": rounded(exported),
        "load_milliseconds": rounded(1e3 * loaded),
        f"milliseconds_for_{BATCH}": rounded(1e3 * min(took)),
        f"pytorch_milliseconds_for_{BATCH}": rounded(1e3 * min(eager)),
    }


def _backward(network: LesionNet, images: NDArray[np.float32]) -> None:
    leaf = torch.from_numpy(images).requires_grad_()
    torch.autograd.grad(network.features(leaf).sum(), leaf)


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def rounded(value: float) -> float:
    """Keep three digits."""
    return float(f"{value:.3g}")
