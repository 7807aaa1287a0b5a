"""A trained network as one ONNX file: photographs as decoded in, the whole sum of evidence out.

What happens to a photograph between decoder and logit is inside the graph, so that nobody who runs
it can normalise wrongly: uint8 to RGB in 0..1, mean and deviation, the network, the sum.

Inputs, for n photographs of one side and s rows of static data for each: ``pixels`` uint8
(n, side, side, 3), RGB as decoded; ``static`` float32 (n, s, `patient.WIDTH`), of which row 0 is
the patient and further rows are only answered in ``static_evidence``.

Outputs, all float32: ``logit`` (n,); ``evidence`` (n, h', w'), what each place adds; ``features``
(n, c), averaged over places; ``static_evidence`` (n, s), 0 for a network of the photograph alone;
``distance`` (n,) from the training photographs, 0 where none is given. The logit is the sum of
evidence, static_evidence[:, 0] and the head's bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from melanoscope import patient
from melanoscope.export.onnx_file import save_onnx, silence, working_folder
from melanoscope.models.lesion_net import STATIC_UNITS, LesionNet

if TYPE_CHECKING:
    import onnx

    from melanoscope.export.out_of_distribution import FeatureDistance

INPUTS = ("pixels", "static")
OUTPUTS = ("logit", "evidence", "features", "static_evidence", "distance")


def export_model(
    network: LesionNet, image_size: int, path: Path, feature_distance: FeatureDistance | None
) -> None:
    """Write a network, put into evaluation, as ``model.onnx`` for photographs of `image_size`."""
    whole = _WholeNetwork(network.cpu().eval(), feature_distance).eval()
    pixels = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    example = (pixels, torch.zeros(2, 2, patient.WIDTH))
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
    """Write a module in evaluation as one ONNX file; `sizes` are the inputs' free dimensions."""
    # No size of `example` that is to vary may be 1: the exporter takes it for a fixed one.
    # PyTorch's compiler looks for a place for temporary files as soon as it is imported.
    with silence(), working_folder(path.parent):
        program = torch.onnx.export(
            module,
            example,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=18,
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
    save_onnx(model, path)


class _WholeNetwork(nn.Module):
    """From decoded pixels to all outputs of ``model.onnx``."""

    scale: Tensor
    shift: Tensor
    image_weight: Tensor
    static_weight: Tensor
    bias: Tensor

    def __init__(self, network: LesionNet, feature_distance: FeatureDistance | None) -> None:
        super().__init__()
        # (pixel / 255 - mean) / deviation as one product and one sum.
        self.register_buffer("scale", 1 / (255 * network.deviation))
        self.register_buffer("shift", -network.mean / network.deviation)
        self.image_branch = network.image_branch
        self.static_branch = network.static_branch
        image_weight, static_weight = split_head(network)
        self.register_buffer("image_weight", image_weight[None, :, None, None])
        self.register_buffer("static_weight", static_weight)
        self.register_buffer("bias", network.head.bias.detach()[0].clone())
        self.distance = None if feature_distance is None else _Distance(feature_distance)

    def forward(self, pixels: Tensor, static: Tensor) -> tuple[Tensor, ...]:
        images = pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift
        last = self.image_branch(images)
        features = last.mean(dim=(2, 3))
        area = last.shape[2] * last.shape[3]
        evidence = functional.conv2d(last, self.image_weight / area).squeeze(1)
        if self.static_branch is None:
            static_evidence = static.new_zeros(static.shape[:2])
        else:
            rows = self.static_branch(static.flatten(0, 1)) @ self.static_weight
            static_evidence = rows.reshape(static.shape[:2])
        logit = evidence.sum(dim=(1, 2)) + static_evidence[:, 0] + self.bias
        distance = torch.zeros_like(logit) if self.distance is None else self.distance(features)
        return logit, evidence, features, static_evidence, distance


class _Distance(nn.Module):
    """`FeatureDistance.distance` as a module."""

    mean: Tensor
    components: Tensor
    variances: Tensor

    def __init__(self, fitted: FeatureDistance) -> None:
        super().__init__()
        for name in ("mean", "components", "variances"):
            self.register_buffer(name, torch.tensor(getattr(fitted, name), dtype=torch.float32))
        self.residual_variance = float(fitted.residual_variance)
        self.normalized = bool(fitted.normalized)

    def forward(self, features: Tensor) -> Tensor:
        if self.normalized:
            length = features.square().sum(dim=1, keepdim=True).sqrt()
            features = features / (length + 1e-12)
        centered = features - self.mean
        inside = centered @ self.components
        outside = centered - inside @ self.components.T
        distance: Tensor = (inside.square() / self.variances).sum(dim=1)
        return distance + outside.square().sum(dim=1) / self.residual_variance


def split_head(network: LesionNet) -> tuple[Tensor, Tensor]:
    """Return the head's weights: of the photograph's features (c,), of the static branch's."""
    weight = network.head.weight.detach()[0].clone()
    features = len(weight) - (0 if network.static_branch is None else STATIC_UNITS)
    return weight[:features], weight[features:]


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
