"""A trained network as one ONNX file: photographs as decoded in, the whole sum of evidence out.

What happens to a photograph between decoder and logit is inside the graph, so that nobody who runs
it can normalise wrongly: uint8 to RGB in 0..1, mean and deviation, the network, the sum.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from melanoscope import patient
from melanoscope.atomic import atomic_path
from melanoscope.models.lesion_net import STATIC_UNITS, LesionNet

if TYPE_CHECKING:
    import onnx

    from melanoscope.export.out_of_distribution import FeatureDistance

OPSET = 18
INPUTS = ("pixels", "static")
OUTPUTS = ("logit", "evidence", "features", "static_evidence", "distance")


def export_model(network: LesionNet, px: int, path: Path, novelty: FeatureDistance | None) -> None:
    """Write a network as ``model.onnx``.

    Inputs, for n photographs and s rows of static data for each: ``pixels`` uint8 (n, px, px, 3),
    RGB as decoded; ``patient`` float32 (n, s, `patient.WIDTH`), of which row 0 is the person and
    further rows are only answered in ``static_evidence``.

    Outputs, all float32: ``logit`` (n,); ``evidence`` (n, h', w'), what each place adds;
    ``features`` (n, c), averaged over places; ``static_evidence`` (n, s), 0 for a network of the
    photograph alone; ``distance`` (n,), the novelty's, 0 without one. The logit is the sum of
    evidence, static_evidence[:, 0] and the head's bias.

    Args:
        network: Trained; put on the processor and into evaluation.
        px: Side of the photographs.
        path: File to write; holds everything, weights included.
        novelty: What the distance is measured by.
    """
    whole = _Whole(network.cpu().eval(), novelty).eval()
    # Two of each: the exporter takes a size of 1 for one that can never be another.
    example = (torch.zeros(2, px, px, 3, dtype=torch.uint8), torch.zeros(2, 2, patient.WIDTH))
    n, s = torch.export.Dim("n"), torch.export.Dim("s")
    write_onnx(whole, example, path, inputs=INPUTS, outputs=OUTPUTS, sizes=({0: n}, {0: n, 1: s}))


def write_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    sizes: tuple[dict[int, Any], ...],
    translations: dict[Callable[..., Any], Callable[..., Any]] | None = None,
) -> None:
    """Write a module as one ONNX file that is either whole or not there.

    Args:
        module: In evaluation.
        example: One tensor for each input; no size that is to vary may be 1.
        path: File to write.
        inputs: Their names.
        outputs: Their names.
        sizes: For each input, the dimensions that vary (`torch.export.Dim`).
        translations: ATen operators to ONNX's, where PyTorch's own translation is not wanted.
    """
    import onnx

    with _silence():
        program = torch.onnx.export(
            module,
            example,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            dynamic_shapes=sizes,
            custom_translation_table=translations,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    model = program.model_proto
    _strip(model)
    with atomic_path(path) as partial:
        onnx.save(model, str(partial))
        onnx.checker.check_model(str(partial))


class _Whole(nn.Module):
    """From decoded pixels to all answers of ``model.onnx``."""

    scale: Tensor
    shift: Tensor
    seen: Tensor
    told: Tensor
    bias: Tensor

    def __init__(self, network: LesionNet, novelty: FeatureDistance | None) -> None:
        super().__init__()
        # (pixel / 255 - mean) / deviation as one product and one sum.
        self.register_buffer("scale", 1 / (255 * network.deviation))
        self.register_buffer("shift", -network.mean / network.deviation)
        self.image_branch = network.image_branch
        self.static_branch = network.static_branch
        seen, told = split_head(network)
        self.register_buffer("seen", seen[None, :, None, None])
        self.register_buffer("told", told)
        self.register_buffer("bias", network.head.bias.detach()[0].clone())
        self.novelty = None if novelty is None else _Distance(novelty)

    def forward(self, pixels: Tensor, known: Tensor) -> tuple[Tensor, ...]:
        images = pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift
        last = self.image_branch(images)
        features = last.mean(dim=(2, 3))
        area = last.shape[2] * last.shape[3]
        evidence = functional.conv2d(last, self.seen / area).squeeze(1)
        if self.static_branch is None:
            added = known.new_zeros(known.shape[:2])
        else:
            rows = self.static_branch(known.flatten(0, 1)) @ self.told
            added = rows.reshape(known.shape[:2])
        logit = evidence.sum(dim=(1, 2)) + added[:, 0] + self.bias
        distance = torch.zeros_like(logit) if self.novelty is None else self.novelty(features)
        return logit, evidence, features, added, distance


class _Distance(nn.Module):
    """`FeatureDistance.distance` once more, from its arrays."""

    mean: Tensor
    components: Tensor
    variances: Tensor

    def __init__(self, novelty: FeatureDistance) -> None:
        super().__init__()
        for name in ("mean", "components", "variances"):
            self.register_buffer(name, torch.tensor(getattr(novelty, name), dtype=torch.float32))
        self.residual_variance = float(novelty.residual_variance)
        self.normalised = bool(novelty.normalised)

    def forward(self, features: Tensor) -> Tensor:
        if self.normalised:
            length = features.square().sum(dim=1, keepdim=True).sqrt()
            features = features / (length + 1e-12)
        centred = features - self.mean
        inside = centred @ self.components
        outside = centred - inside @ self.components.T
        distance: Tensor = (inside.square() / self.variances).sum(dim=1)
        return distance + outside.square().sum(dim=1) / self.residual_variance


def split_head(network: LesionNet) -> tuple[Tensor, Tensor]:
    """Return the head's weights of the photograph (c,) and of the static data (0 or 250,)."""
    weight = network.head.weight.detach()[0].clone()
    told = 0 if network.static_branch is None else STATIC_UNITS
    return weight[: len(weight) - told], weight[len(weight) - told :]


def _strip(model: onnx.ModelProto) -> None:
    """Take out the exporter's notes: source lines and paths of the machine it ran on."""
    graph = model.graph
    model.ClearField("metadata_props")
    for item in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    for weight in graph.initializer:
        weight.ClearField("metadata_props")
        weight.ClearField("doc_string")
    # Shapes between the nodes are inferred anew where they are needed.
    graph.ClearField("value_info")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's talk from stdout, stderr, warnings and logs."""
    before = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
