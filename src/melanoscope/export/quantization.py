"""A smaller variant: the image branch in 8 bits, refused where it decides otherwise.

How the branch is quantised was chosen by measurement on fine-tuned networks, each on the test fold
it never saw (benchmarks/int8_settings.py): ranges that are means over batches instead of the
extremes of all, the first convolutions in floating point, and means corrected afterwards. Over
five folds MobileNetV2's logits move by 0.13 instead of 0.21 on average, and 4 instead of 3 variants
are accepted.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from melanoscope.atomic import atomic_path
from melanoscope.errors import StatisticsError
from melanoscope.export.quantized_nodes import add_constants, quantized_nodes
from melanoscope.stats.metrics.classification import auroc, confusion_matrix

AUROC_WITHIN = 0.005
SENSITIVITY_WITHIN = 0.01
# Room for rounding: 0.95 - 0.94 is more than 0.01 in floating point.
_ROUNDING = 1e-9

_BATCH = 8


def quantize(
    model: Path, out: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> None:
    """Write an int8 variant of a graph; inputs and outputs stay what they are.

    Weights become int8, one scale per output channel; activations uint8, one scale per tensor
    (Krishnamoorthi 2018, arXiv 1806.08342, section 3). Weights use 7 bits of 8: without that, sums
    overflow silently on processors that lack VNNI instructions. Everything up to the second
    convolution and after the last feature map stays in floating point, so that the logit is the
    exact sum of its parts here too. What is lost on average over the photographs is added again to
    `features` and `evidence` (bias correction: Nagel et al. 2019, arXiv 1906.04721, section 4.2).

    Args:
        model: As `graph.export_model` writes it.
        out: File to write; whole or not there.
        pixels: Photographs of the training part, shape (n, px, px, 3).
        static: What is known of their persons, shape (n, 1, `static.WIDTH`).

    Raises:
        StatisticsError: No photographs.
    """
    if not len(pixels):
        raise StatisticsError(
            "photographs to find ranges with", "none", "pass some of the training"
        )
    import onnx

    with _silence(), tempfile.TemporaryDirectory() as folder:
        prepared, small = Path(folder) / "prepared.onnx", Path(folder) / "small.onnx"
        _quantise(model, prepared, small, pixels, static)
        whole = onnx.load(str(small))
        add_constants(whole, _what_is_lost(prepared, small, pixels, static))
        whole.ClearField("metadata_props")
        with atomic_path(out) as partial:
            onnx.save(whole, str(partial))
            onnx.checker.check_model(str(partial))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an int8 variant keeps on held-out photographs.

    Attributes:
        photographs: Held out.
        melanomas: Of them.
        threshold: Logit at or above which both variants call.
        auroc_float32: Of the network.
        auroc_int8: Of its variant.
        sensitivity_float32: At the threshold.
        sensitivity_int8: At the same logit.
        specificity_float32: At the threshold; not judged.
        specificity_int8: At the same logit; not judged.
        logit_difference: Mean absolute difference of the logits.
        decided_otherwise: Share of photographs that only one of the two calls.
        accepted: Whether AUROC and sensitivity are within `AUROC_WITHIN` and `SENSITIVITY_WITHIN`,
            in either direction: a variant that alarms more often is another instrument, too.
        why: Why not; None where accepted.
    """

    photographs: int
    melanomas: int
    threshold: float
    auroc_float32: float
    auroc_int8: float
    sensitivity_float32: float
    sensitivity_int8: float
    specificity_float32: float
    specificity_int8: float
    logit_difference: float
    decided_otherwise: float
    accepted: bool
    why: str | None


def compare_variants(
    target: ArrayLike, logit_float: ArrayLike, logit_int8: ArrayLike, threshold: float
) -> Comparison:
    """Compare an int8 variant with its network on the same held-out photographs.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        logit_float: Of the network, shape (n,).
        logit_int8: Of the variant, shape (n,).
        threshold: Logit at or above which a lesion is called; chosen on other photographs.

    Raises:
        StatisticsError: As `metrics.validated`, or logits that are no finite numbers.

    >>> found = compare_variants([0, 0, 1, 1], [-2.0, 0.5, 0.1, 3.0], [-2.0, 0.5, -0.1, 3.0], 0.0)
    >>> found.accepted, found.why
    (False, 'sensitivity 0.500 instead of 1.000, more than 0.01 apart')
    """
    outcome = np.asarray(target)
    both = [np.asarray(one, np.float64) for one in (logit_float, logit_int8)]
    if not all(np.isfinite(one).all() for one in both) or not np.isfinite(threshold):
        raise StatisticsError("finite logits", "NaN or infinity", "check whether training diverged")
    areas = [auroc(outcome, _ranks(one)) for one in both]
    # Called or not by the logit itself: a sigmoid would round.
    called = [(one >= threshold).astype(np.float64) for one in both]
    matrices = [confusion_matrix(outcome, one, 0.5) for one in called]
    found = [matrix.sensitivity for matrix in matrices]
    left = [matrix.specificity for matrix in matrices]
    reasons = [
        f"{name} {small:.3f} instead of {whole:.3f}, more than {limit:g} apart"
        for name, (whole, small), limit in (
            ("AUROC", areas, AUROC_WITHIN),
            ("sensitivity", found, SENSITIVITY_WITHIN),
        )
        if abs(small - whole) > limit + _ROUNDING
    ]
    return Comparison(
        photographs=int(outcome.size),
        melanomas=int(outcome.astype(bool).sum()),
        threshold=float(threshold),
        auroc_float32=areas[0],
        auroc_int8=areas[1],
        sensitivity_float32=found[0],
        sensitivity_int8=found[1],
        specificity_float32=left[0],
        specificity_int8=left[1],
        logit_difference=float(np.abs(both[0] - both[1]).mean()),
        decided_otherwise=float((called[0] != called[1]).mean()),
        accepted=not reasons,
        why="; ".join(reasons) or None,
    )


def _quantise(
    model: Path, prepared: Path, out: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> None:
    """Quantise the nodes chosen; `prepared` receives the graph as it is before."""
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    nodes = quantized_nodes(onnx.load(str(prepared)))
    if not nodes:
        raise StatisticsError(
            "a network of several convolutions", "too few to quantise", "seal it without int8"
        )
    quantize_static(
        str(prepared),
        str(out),
        _Photographs(pixels, static),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_quantize=nodes,
        extra_options={"CalibMovingAverage": True},
    )


class _Photographs:
    """Calibration photographs in batches, as `quantize_static` asks for them."""

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


def _what_is_lost(
    whole: Path, small: Path, pixels: NDArray[np.uint8], static: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return by how much outputs are too low in 8 bits, on average over photographs."""
    from melanoscope.inference.onnx_session import OnnxModel

    names = ("features", "evidence")
    graphs = OnnxModel(whole), OnnxModel(small)
    sums: dict[str, Any] = dict.fromkeys(names, 0.0)
    for batch in _batches(pixels, static):
        before, after = (graph(**batch) for graph in graphs)
        for name in names:
            difference = before[name].astype(np.float64) - after[name]
            sums[name] = sums[name] + difference.sum(axis=0)
    return {name: (sums[name] / len(pixels)).astype(np.float32) for name in names}


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring numbers to 0..1 in their order; a sigmoid would make ties of distinct high ones."""
    ranks: NDArray[np.float64] = rankdata(values, "dense") / (values.size + 1)
    return ranks


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the quantiser's remarks from the logs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
