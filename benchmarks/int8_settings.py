"""What each setting of the int8 variant keeps, on every fold of a run.

    python benchmarks/int8_settings.py RUN --backbone mobilenet_v2 [--json FILE]

Each network is quantized with photographs that it learnt from and held against itself on its test
fold, at the threshold for 95 % sensitivity on its calibration part: the same comparison that
refuses or accepts the variant of a bundle. Settings are added one by one; the last is `quantize`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from melanoscope.export.evaluation import Holdout
from melanoscope.export.onnx_model import export_model
from melanoscope.export.outputs import graph_inputs, run_graph, sample_rows
from melanoscope.export.quantization import compare_variants, quantize
from melanoscope.export.quantized_nodes import quantized_nodes
from melanoscope.export.thresholds import choose_thresholds
from melanoscope.export.trained_model import TrainedModel, model_from_run
from melanoscope.inference.manifest import Int8Graph
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.progress import RunProgress

PHOTOGRAPHS = 200
BATCH = 8

# Name -> whether the first convolutions stay in floating point, and options of ONNX Runtime.
SETTINGS: dict[str, tuple[bool, dict[str, Any]]] = {
    "whole branch, extremes of all": (False, {}),
    "+ means of batches' extremes": (False, {"extra_options": {"CalibMovingAverage": True}}),
    "+ first convolutions in float": (True, {"extra_options": {"CalibMovingAverage": True}}),
    "+ weights of 7 bits": (
        True,
        {"reduce_range": True, "extra_options": {"CalibMovingAverage": True}},
    ),
}
CHOSEN = "+ means corrected (chosen)"


class Photographs:
    """Calibration photographs as ONNX Runtime asks for them."""

    def __init__(self, pixels: np.ndarray, static: np.ndarray) -> None:
        self.batches: Iterator[dict[str, np.ndarray]] = (
            {"pixels": pixels[start : start + BATCH], "static": static[start : start + BATCH]}
            for start in range(0, len(pixels), BATCH)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch."""
        return next(self.batches, None)


def whole_branch(model: onnx.ModelProto) -> list[str]:
    """Name the nodes of the image branch from its first convolution on."""
    nodes, later = list(model.graph.node), set(quantized_nodes(model))
    first = next(place for place, node in enumerate(nodes) if node.op_type == "Conv")
    last = max(place for place, node in enumerate(nodes) if node.name in later)
    return [node.name for node in nodes[first : last + 1]]


def variants(
    model: Path, folder: Path, pixels: np.ndarray, static: np.ndarray
) -> Iterator[tuple[str, Path]]:
    """Quantize a graph with every setting."""
    prepared = folder / "prepared.onnx"
    with contextlib.redirect_stdout(io.StringIO()):
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    loaded = onnx.load(str(prepared))
    for name, (floating, options) in SETTINGS.items():
        out = folder / "small.onnx"
        quantize_static(
            str(prepared),
            str(out),
            Photographs(pixels, static),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_quantize=quantized_nodes(loaded) if floating else whole_branch(loaded),
            **options,
        )
        yield name, out
    quantize(model, folder / "small.onnx", pixels, static)
    yield CHOSEN, folder / "small.onnx"


def compare_fold(model: TrainedModel, folder: Path) -> dict[str, dict[str, Any]]:
    """Compare all settings on one fold; with processor milliseconds of one photograph."""
    path, split = folder / "model.onnx", model.split
    export_model(model.network, model.config.image_size, path, None)
    graph = OnnxModel(path, 1)
    calibration = Holdout.join(model.frame, run_graph(graph, model, split.validation))
    threshold = next(iter(choose_thresholds(calibration, model.target).values())).logit
    test = Holdout.join(model.frame, run_graph(graph, model, split.test))
    inputs = graph_inputs(model.arrays, sample_rows(split.train, PHOTOGRAPHS))
    one = graph_inputs(model.arrays, split.test[:1])
    # One that is no variant at all: what the figures and the times are beside.
    itself = compare_variants(test.target, test.logit, test.logit, threshold)
    found = {"float32": {**msgspec.structs.asdict(itself), "cpu_ms": _cpu_ms(graph, *one)}}
    for name, quantized in variants(path, folder, *inputs):
        small = OnnxModel(quantized, 1)
        logit = Holdout.join(test.frame, run_graph(small, model, split.test)).logit
        compared = compare_variants(test.target, test.logit, logit, threshold)
        found[name] = {**msgspec.structs.asdict(compared), "cpu_ms": _cpu_ms(small, *one)}
    return found


def _cpu_ms(graph: OnnxModel, pixels: np.ndarray, static: np.ndarray, repeats: int = 60) -> float:
    taken = []
    for _ in range(repeats):
        started = time.thread_time()
        graph(pixels=pixels, static=static)
        taken.append(time.thread_time() - started)
    return 1000 * statistics.median(taken)


def as_markdown(folds: list[dict[str, dict[str, Any]]]) -> str:
    """Write a row for each setting: how many folds accept it, and what it changes."""
    columns = (
        "Setting",
        "Accepted",
        "AUROC, mean (largest) change",
        "Sensitivity, mean (largest) change",
        "Logit, mean distance",
        "Decided otherwise",
        "One photograph, processor ms",
    )
    lines = [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
    for name in folds[0]:
        compared = [Int8Graph(**{k: v for k, v in f[name].items() if k != "cpu_ms"}) for f in folds]
        area = np.array([one.auroc_int8 - one.auroc_float32 for one in compared])
        hits = np.array([one.sensitivity_int8 - one.sensitivity_float32 for one in compared])
        distance = np.mean([one.logit_difference for one in compared])
        otherwise = np.mean([one.decided_otherwise for one in compared])
        lines.append(
            f"| {name} | {sum(one.accepted for one in compared)} of {len(compared)} | "
            f"{area.mean():+.4f} ({np.abs(area).max():.4f}) | "
            f"{hits.mean():+.4f} ({np.abs(hits).max():.4f}) | {distance:.3f} | "
            f"{100 * otherwise:.1f} % | {np.median([f[name]['cpu_ms'] for f in folds]):.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--transfer", default="finetune")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    record = json.loads((options.run / "run.json").read_text())
    folds = []
    for fold in range(record["configuration"]["folds"]):
        model = model_from_run(
            options.run,
            options.cache,
            RunProgress(quiet=True),
            backbone=options.backbone,
            transfer=options.transfer,
            fold=fold,
        )
        with tempfile.TemporaryDirectory() as folder:
            folds.append(compare_fold(model, Path(folder)))
    print(as_markdown(folds))
    if options.json:
        options.json.write_text(json.dumps(folds, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
