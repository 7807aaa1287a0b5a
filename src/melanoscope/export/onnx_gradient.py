"""The gradient of what a photograph adds to the logit, as an ONNX graph of its own.

PyTorch's backward pass is recorded operator by operator (`make_fx` over `torch.autograd.grad`), in
terms that ONNX has, and exported like any other network. With it Integrated Gradients need no
PyTorch. Since the head is linear, this gradient does not depend on age, sex and site.

Input ``images`` float32 (n, 3, side, side), RGB in 0..1; outputs ``photograph_evidence`` (n,), what
each photograph adds to the logit, and ``gradient`` (n, 3, side, side) of it with respect to
``images``; n may be any number above 0.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from melanoscope.errors import BundleError
from melanoscope.export.onnx_decompositions import decomposition_table, translation_table
from melanoscope.export.onnx_model import split_head, write_onnx
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.machine_faults import raise_wrapped_machine_fault
from melanoscope.models.lesion_net import LesionNet

if TYPE_CHECKING:
    from collections.abc import Callable

INPUTS = ("images",)
OUTPUTS = ("photograph_evidence", "gradient")

# A gradient jumps where a ReLU's input crosses 0, and rounding alone can carry it there: in single
# precision PyTorch is some percent off itself in double, on fresh networks up to a quarter. A graph
# may be as many times as far off; a wrong one is off by the gradient's own size.
_TOLERANCE, _TIMES, _MAX_TOLERANCE = 0.05, 3, 0.5


def export_gradient(network: LesionNet, image_size: int, path: Path) -> None:
    """Write ``gradient.onnx``, or raise a BundleError if it cannot be had or is not PyTorch's."""
    try:
        write_onnx(
            record_gradient(network, image_size),
            (torch.zeros(2, 3, image_size, image_size),),
            path,
            inputs=INPUTS,
            outputs=OUTPUTS,
            sizes=({0: torch.export.Dim("n")},),
            translations=translation_table(),
        )
        _compare_with_torch(network, image_size, path)
    except BundleError:
        path.unlink(missing_ok=True)
        raise
    except Exception as error:  # noqa: BLE001 - exporters fail in any way they like
        path.unlink(missing_ok=True)
        raise_wrapped_machine_fault(error, path.parent)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _no_gradient(network, reason) from None


def record_gradient(network: LesionNet, image_size: int) -> fx.GraphModule:
    """Record the backward pass: images (n, 3, side, side) in 0..1 to evidence (n,) and gradient."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.experimental.symbolic_shapes import (
        DimDynamic,
        ShapeEnv,
        StatelessSymbolicContext,
    )

    evidence_of = _evidence_function(network.cpu().eval())
    # Only the number of photographs is left open.
    sizes = [DimDynamic.DYNAMIC] + 3 * [DimDynamic.STATIC]
    fake = FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True)
    example = fake.from_tensor(
        torch.zeros(2, 3, image_size, image_size, dtype=network.mean.dtype),
        symbolic_context=StatelessSymbolicContext(dynamic_sizes=sizes),
    )
    recorder = make_fx(
        lambda images: _with_gradient(evidence_of, images),
        decomposition_table(),
        tracing_mode="symbolic",
        _allow_non_fake_inputs=True,
    )
    recorded: fx.GraphModule = recorder(example)
    return recorded


def _with_gradient(
    evidence_of: Callable[[Tensor], Tensor], images: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the evidence of each image, shape (n,), and its gradient, of the images' shape."""
    images = images.detach().requires_grad_()
    evidence = evidence_of(images)
    # Ones are given, since those that autograd makes cannot be translated by older exporters.
    (gradient,) = torch.autograd.grad(evidence, images, evidence.new_ones(evidence.shape))
    return evidence.detach(), gradient


def _evidence_function(network: LesionNet) -> Callable[[Tensor], Tensor]:
    """Return the function from images (n, 3, h, w) in 0..1 to what each adds to the logit, (n,)."""
    branch = _simplify(network.image_branch)
    weight = split_head(network)[0][:, None, None]

    def evidence(images: Tensor) -> Tensor:
        last: Tensor = branch((images - network.mean) / network.deviation)
        return (last * weight).sum(dim=(1, 2, 3)) / (last.shape[2] * last.shape[3])

    return evidence


class _Affine(nn.Module):
    """Batch norm in evaluation: one product and one sum per channel."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        if norm.running_mean is None or norm.running_var is None:
            raise NotImplementedError("batch norm without running statistics")
        scale = (norm.running_var + norm.eps).rsqrt()
        if norm.affine:
            scale = scale * norm.weight.detach()
        shift = -norm.running_mean * scale
        if norm.affine:
            shift = shift + norm.bias.detach()
        self.register_buffer("scale", scale[:, None, None])
        self.register_buffer("shift", shift[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def _simplify(branch: nn.Module) -> nn.Module:
    """Copy a branch with batch norm folded away and nothing done in place."""
    from torch.fx.experimental.optimization import fuse

    simple: nn.Module
    try:
        simple = fuse(branch)
    except fx.proxy.TraceError:
        # Its Python asks for sizes (TensorFlow's padding): recorded as it is, batch norm and all.
        simple = copy.deepcopy(branch)
    for name, module in list(simple.named_modules()):
        if type(module) is nn.BatchNorm2d:
            simple.set_submodule(name, _Affine(module))
        elif hasattr(module, "inplace"):
            module.inplace = False
    if isinstance(simple, fx.GraphModule):
        for node in simple.graph.nodes:
            if node.kwargs.get("inplace"):
                node.update_kwarg("inplace", False)
        simple.recompile()
    return simple.requires_grad_(False)


def _compare_with_torch(network: LesionNet, image_size: int, path: Path) -> None:
    """Compare the file with `torch.autograd.grad` on three photographs of coarse noise."""
    coarse = torch.rand(3, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    images = nn.functional.interpolate(coarse, size=(image_size, image_size), mode="bilinear")
    evidence, gradient = OnnxModel(path)(images=images.numpy()).values()
    exact_evidence, exact = _by_autograd(copy.deepcopy(network).double(), images.double())
    own_error = _relative_error(_by_autograd(network, images)[1], exact)
    error = _relative_error(gradient, exact)
    off = np.abs(evidence - exact_evidence).max() / max(1.0, np.abs(exact_evidence).max())
    # Written so that a NaN is a disagreement.
    if not (error <= min(_TOLERANCE + _TIMES * own_error, _MAX_TOLERANCE) and off < 1e-3):
        raise _no_gradient(network, f"a graph that is {error:.0%} off PyTorch's gradient")


def _by_autograd(network: LesionNet, images: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return `_with_gradient` of the network as it is, nothing folded and nothing recorded."""
    weight = split_head(network)[0]
    evidence, gradient = _with_gradient(
        lambda inputs: network.features(inputs).mean(dim=(2, 3)) @ weight, images
    )
    return evidence.numpy(), gradient.numpy()


def _relative_error(gradient: NDArray[Any], exact: NDArray[Any]) -> float:
    """Return the largest error of a photograph's gradient as a share of its Euclidean norm."""
    size = np.linalg.norm(exact.reshape(len(exact), -1), axis=1)
    error = np.linalg.norm((gradient - exact).reshape(len(exact), -1), axis=1)
    return float((error / np.maximum(size, 1e-12)).max())


def _no_gradient(network: LesionNet, reason: str) -> BundleError:
    return BundleError(
        f"a gradient graph of {network.backbone_name}",
        reason,
        "its explanations are maps of evidence only",
    )
