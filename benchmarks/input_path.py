"""What the input path costs: an epoch from the pixel store against one on a constant batch.

    python benchmarks/input_path.py --data ham10000=../shared/lesions/ham10000 [--json FILE]

Both kinds of epoch run in turn, so that a machine whose speed drifts is fair to both; the median
of the ratios pair by pair is what counts. Needs no weights: the network starts from scratch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the usual name

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.sources import parse_spec, read_sources
from melanoscope.hardware import describe_hardware
from melanoscope.models.lesion_net import LesionNet, fresh
from melanoscope.training.augment import augment, sample_augmentation
from melanoscope.training.batches import arrays_of, training_batches
from melanoscope.training.precision import describe_accelerator, precision

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def train(network: LesionNet, batches: Iterator[Batch], optimiser: torch.optim.Optimizer) -> float:
    """Train one epoch on ready images and return its seconds."""
    started = time.perf_counter()
    for images, known, targets in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision() == "bf16-mixed"):
            logits = network(images, known)
        loss = F.binary_cross_entropy_with_logits(logits.float(), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--photographs", type=int, default=640)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        catalog = build_catalog(
            read_sources([parse_spec(d) for d in options.data], ReadOptions(Path(folder)))
        )
        started = time.perf_counter()
        store = open_pixel_store(catalog, options.size, Path(folder))
        decoding = time.perf_counter() - started
        usable = catalog.with_files.without(store.unreadable)
        arrays = arrays_of(usable.frame, store)
        chosen = np.arange(min(options.photographs, len(usable)))
        loader = training_batches(arrays, chosen, 64, torch.Generator().manual_seed(0))
        generator = torch.Generator().manual_seed(0)

        def from_store() -> Iterator[Batch]:
            for pixels, known, targets in loader:
                yield augment(pixels, sample_augmentation(len(pixels), generator)), known, targets

        constant = next(from_store())

        def in_memory() -> Iterator[Batch]:
            for _ in range(len(loader)):
                yield constant

        network = fresh(options.backbone).to(memory_format=torch.channels_last).train()
        optimiser = torch.optim.Adam(network.parameters(), lr=5e-4)
        train(network, in_memory(), optimiser)  # warm-up
        pairs = [
            (train(network, from_store(), optimiser), train(network, in_memory(), optimiser))
            for _ in range(options.pairs)
        ]
        input_seconds = []
        for _ in range(options.pairs):
            started = time.perf_counter()
            for _ in from_store():
                pass
            input_seconds.append(time.perf_counter() - started)
    seen = len(loader) * 64
    cores = torch.get_num_threads()
    result = {
        "hardware": describe_hardware() | describe_accelerator(),
        "data": options.data,
        "backbone": options.backbone,
        "size": options.size,
        "photographs_an_epoch": seen,
        "pairs": options.pairs,
        "epoch_from_store_s": statistics.median(a for a, _ in pairs),
        "epoch_in_memory_s": statistics.median(b for _, b in pairs),
        "ratio_median": statistics.median(a / b for a, b in pairs),
        "ratios": [round(a / b, 4) for a, b in pairs],
        "input_ms_a_photograph_and_core": 1000 * statistics.median(input_seconds) * cores / seen,
        "decoding_once_ms_a_photograph": 1000 * decoding / len(usable),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
