"""What keeping a training's state costs: after each epoch, and on taking it up again.

    python benchmarks/training_state.py [--backbones A,B] [--rounds 5] [--size 64] [--out F]

Each network takes one epoch of eight drawn photographs, so that Adam has its moments; then its
state is saved and restored in turns. An epoch's own time is not measured here: it depends on the
archive. As a scale, the time of one training step of 64 photographs of --size px stands beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from melanoscope import patient
from melanoscope.export.latency import machine
from melanoscope.models.lesion_net import fresh
from melanoscope.training import fit as training
from melanoscope.training.batches import LesionArrays
from melanoscope.training.config import TrainConfig
from melanoscope.training.training_state import StateFile, TrainingState

STEP = 64


def arrays(n: int, size: int) -> LesionArrays:
    """Random photographs, half of them positive."""
    rng = np.random.default_rng(0)
    return LesionArrays(
        image_id=np.array([f"i{k}" for k in range(n)]),
        pixels=rng.integers(0, 256, (n, size, size, 3), np.uint8),
        rows=np.arange(n),
        static=np.zeros((n, patient.WIDTH), np.float32),
        targets=(np.arange(n) % 2).astype(np.int8),
    )


def seconds(work: Callable[[], object]) -> float:
    """Measure how long something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(name: str, rounds: int, size: int) -> dict[str, Any]:
    """Train one step, then save and restore in turns."""
    photographs = arrays(STEP + 8, size)
    train, validation = np.arange(STEP), np.arange(STEP, STEP + 8)
    config = TrainConfig(epochs=1, batch_size=STEP)
    saving, restoring = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = StateFile(Path(folder) / "state", "benchmark")
        save, restore = TrainingState.save, TrainingState.restore

        def save_often(state: TrainingState, kept: StateFile) -> None:
            for _ in range(rounds):
                saving.append(seconds(lambda: save(state, kept)))
                restoring.append(seconds(lambda: restore(state, kept)))

        def epoch(kept: StateFile | None) -> float:
            torch.manual_seed(0)
            return training.fit(
                fresh(name), photographs, train, validation, config, "scratch", 0, None, kept
            ).seconds

        # The first epoch of a network also prepares its kernels.
        step_seconds = [epoch(None), epoch(None)][1]
        TrainingState.save = save_often  # type: ignore[method-assign]
        try:
            epoch(file)
        finally:
            TrainingState.save = save  # type: ignore[method-assign]
        size_in_bytes = file.path.stat().st_size
    return {
        "megabytes": round(size_in_bytes / 1e6, 1),
        "save_seconds": round(statistics.median(saving), 4),
        "restore_seconds": round(statistics.median(restoring), 4),
        "step_seconds": round(step_seconds, 3),
    }


def main() -> None:
    """Measure the networks and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", default="squeezenet1_1,mobilenet_v2,resnet50,vgg16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = {
        name: measure(name, options.rounds, options.size) for name in options.backbones.split(",")
    }
    text = json.dumps({"machine": machine(), "rounds": options.rounds, "networks": found}, indent=1)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
