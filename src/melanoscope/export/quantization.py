"""A smaller variant: the image branch in 8 bits, refused where it decides otherwise.

How the branch is quantized was chosen by measurement on fine-tuned networks, each on the test fold
it never saw (benchmarks/int8_settings.py): ranges that are means over batches instead of the
extremes of all, the first convolutions in floating point, and means corrected afterwards. Over
five folds MobileNetV2's logits move by 0.13 instead of 0.21 on average, and 4 instead of 3 variants
are accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

from melanoscope.errors import StatisticsError
from melanoscope.export.onnx_file import save_onnx, silence, working_folder
from melanoscope.export.quantized_nodes import add_constants, quantized_nodes
from melanoscope.inference.manifest import Int8Graph
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.stats.metrics.classification import area_under_roc, threshold_metrics
from melanoscope.stats.validation import check_both_classes

_BATCH = 8


def quantize(
    model: Path, out: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> None:
    """Write an int8 variant of a graph, with ranges from training photographs of `graph_inputs`."""
    # Weights become int8, one scale per output channel; activations uint8, one scale per tensor
    # (Krishnamoorthi 2018, arXiv 1806.08342, section 3). Weights use 7 bits of 8: without that,
    # sums overflow silently on processors that lack VNNI instructions. Everything up to the second
    # convolution and after the last feature map stays in floating point, so that the logit is the
    # exact sum of its parts here too. What is lost on average over the photographs is added again
    # to `features` and `evidence` (Nagel et al. 2019, arXiv 1906.04721, section 4.2).
    if not len(pixels):
        raise StatisticsError(
            "photographs to find ranges with", "none", "pass some of the training"
        )
    with silence(), working_folder(out.parent) as folder:
        prepared, quantized = folder / "prepared.onnx", folder / "quantized.onnx"
        _quantize_nodes(model, prepared, quantized, pixels, static)
        whole = onnx.load(str(quantized))
        add_constants(whole, _mean_loss(prepared, quantized, pixels, static))
        whole.ClearField("metadata_props")
        save_onnx(whole, out)


def compare_variants(
    target: ArrayLike, logit_float: ArrayLike, logit_int8: ArrayLike, threshold: float
) -> Int8Graph:
    """Compare an int8 variant with its network by logits of the same photographs, shape (n,).

    >>> found = compare_variants([0, 0, 1, 1], [-2.0, 0.5, 0.1, 3.0], [-2.0, 0.5, -0.1, 3.0], 0.0)
    >>> found.accepted, found.why
    (False, 'sensitivity 0.500 instead of 1.000, more than 0.01 apart')
    """
    # Both directions count: what alarms more often is another instrument, too.
    outcome = np.asarray(target)
    logits = [np.asarray(one, np.float64) for one in (logit_float, logit_int8)]
    if not all(np.isfinite(one).all() for one in logits) or not np.isfinite(threshold):
        raise StatisticsError("finite logits", "NaN or infinity", "check whether training diverged")
    # Of the logits, since a sigmoid would make ties of distinct high ones.
    check_both_classes(outcome)
    areas = [area_under_roc(outcome == 1, one) for one in logits]
    # Called or not by the logit itself: a sigmoid would round.
    called = [(one >= threshold).astype(np.float64) for one in logits]
    decisions = [threshold_metrics(outcome, one, 0.5) for one in called]
    sensitivities = [metrics["sensitivity"] for metrics in decisions]
    reasons = [
        f"{name} {int8:.3f} instead of {float32:.3f}, more than {limit:g} apart"
        for name, (float32, int8), limit in (
            ("AUROC", areas, 0.005),
            ("sensitivity", sensitivities, 0.01),
        )
        if abs(int8 - float32) > limit + 1e-9  # 0.95 - 0.94 is more than 0.01 in floating point
    ]
    return Int8Graph(
        why="; ".join(reasons) or None,
        photographs=int(outcome.size),
        positives=int(outcome.astype(bool).sum()),
        threshold=float(threshold),
        auroc_float32=areas[0],
        auroc_int8=areas[1],
        sensitivity_float32=sensitivities[0],
        sensitivity_int8=sensitivities[1],
        specificity_float32=decisions[0]["specificity"],
        specificity_int8=decisions[1]["specificity"],
        logit_difference=float(np.abs(logits[0] - logits[1]).mean()),
        decided_otherwise=float((called[0] != called[1]).mean()),
        accepted=not reasons,
    )


def _quantize_nodes(
    model: Path, prepared: Path, out: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> None:
    """Quantize the nodes chosen; `prepared` receives the graph as it is before."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    nodes = quantized_nodes(onnx.load(str(prepared)))
    if not nodes:
        raise StatisticsError(
            "a network of several convolutions", "too few to quantize", "export it with --no-int8"
        )
    quantize_static(
        str(prepared),
        str(out),
        _BatchReader(pixels, static),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_quantize=nodes,
        extra_options={"CalibMovingAverage": True},
    )


class _BatchReader:
    """Photographs in batches, as `quantize_static` asks for them."""

    def __init__(self, pixels: NDArray[np.uint8], static: NDArray[np.float32]) -> None:
        self._batches = _batches(pixels, static)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._batches, None)


def _batches(
    pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> Iterator[dict[str, NDArray[Any]]]:
    for start in range(0, len(pixels), _BATCH):
        chosen = slice(start, start + _BATCH)
        yield {"pixels": pixels[chosen], "static": static[chosen]}


def _mean_loss(
    float32: Path, int8: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return by how much outputs are too low in 8 bits, on average over photographs."""
    names = ("features", "evidence")
    graphs = OnnxModel(float32), OnnxModel(int8)
    sums: dict[str, Any] = dict.fromkeys(names, 0.0)
    for batch in _batches(pixels, static):
        exact, rounded = (graph(**batch) for graph in graphs)
        for name in names:
            difference = exact[name].astype(np.float64) - rounded[name]
            sums[name] = sums[name] + difference.sum(axis=0)
    return {name: (sums[name] / len(pixels)).astype(np.float32) for name in names}
