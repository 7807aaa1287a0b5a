"""Steps of PyTorch's backward pass in terms that ONNX has.

Each function stands for the ATen operator it is named after and takes that operator's arguments;
of a backward step only the gradient with respect to the input is ever asked for. All of them keep
the number of photographs open and the sizes of the feature maps fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

aten = torch.ops.aten

Table = dict[Any, Callable[..., Any]]
"""ATen operator -> function that stands for it."""


def decomposition_table() -> Table:
    """Return PyTorch's core decompositions with those of this module put in or over them."""
    from torch._decomp import core_aten_decompositions

    return {
        **core_aten_decompositions(),
        aten.convolution_backward.default: convolution_backward,
        aten.max_pool2d_with_indices_backward.default: max_pool2d_with_indices_backward,
        aten.avg_pool2d_backward.default: avg_pool2d_backward,
        aten.threshold_backward.default: threshold_backward,
        aten.hardtanh_backward.default: hardtanh_backward,
    }


def translation_table() -> Table:
    """Return translations to ONNX that are better than PyTorch's own."""
    return {aten.max_pool2d_with_indices.default: max_pool2d_with_indices}


def max_pool2d_with_indices(
    images: Any,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Any, Any]:
    """Translate a max-pool with one ONNX node, where PyTorch takes two."""
    from onnxscript import opset18

    op: Any = opset18  # its own types know a constant only as any of all kinds
    values, indices = op.MaxPool(
        images,
        kernel_shape=kernel,
        strides=stride or kernel,
        pads=[*padding, *padding],
        dilations=dilation,
        ceil_mode=int(ceil_mode),
    )
    # ONNX numbers the places of all planes of all photographs on end; wanted is within one plane.
    plane = images.shape[2] * images.shape[3]
    return values, op.Mod(indices, op.Constant(value_int=plane))


def convolution_backward(
    gradient: Tensor,
    images: Tensor,
    weight: Tensor,
    bias_sizes: Sequence[int] | None,  # noqa: ARG001 - the operator's
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],  # noqa: ARG001 - the operator's
    groups: int,
    wanted: Sequence[bool],
) -> tuple[Tensor, None, None]:
    """Return the gradient by a convolution with turned weights, or by a transposed one."""
    if transposed or wanted[1] or wanted[2]:
        raise NotImplementedError("only the gradient of a convolution with respect to its input")
    kernel, size, place = weight.shape[2:], images.shape[2:], gradient.shape[2:]
    axes = range(2)
    turned = [dilation[i] * (kernel[i] - 1) - padding[i] for i in axes]
    # ONNX Runtime is slow at transposed convolutions of many groups, as in MobileNets.
    if all(one == 1 for one in stride) and min(turned) >= 0:
        plain = aten.convolution(
            gradient, _turn(weight, groups), None, stride, turned, dilation, False, [0, 0], groups
        )
        return plain, None, None
    # What a stride that does not divide the size has left over at the end.
    rest = [
        size[i] - ((place[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1)
        for i in axes
    ]
    transpose = aten.convolution(
        gradient, weight, None, stride, padding, dilation, True, rest, groups
    )
    return transpose, None, None


def _turn(weight: Tensor, groups: int) -> Tensor:
    """Exchange inputs and outputs within each group and turn the kernel by 180 degrees."""
    outputs, inputs, height, width = weight.shape
    parted = weight.reshape(groups, outputs // groups, inputs, height, width).transpose(1, 2)
    turned = parted.reshape(groups * inputs, outputs // groups, height, width)
    return turned if height == width == 1 else turned.flip(2, 3)


def max_pool2d_with_indices_backward(
    gradient: Tensor,
    images: Tensor,
    kernel: Sequence[int],  # noqa: ARG001 - the operator's, as the next four
    stride: Sequence[int],  # noqa: ARG001
    padding: Sequence[int],  # noqa: ARG001
    dilation: Sequence[int],  # noqa: ARG001
    ceil_mode: bool,  # noqa: ARG001
    indices: Tensor,
) -> Tensor:
    """Add each window's gradient to the place that won it; windows may overlap."""
    n, channels, height, width = images.shape
    nothing = gradient.new_zeros(n, channels, height * width)
    added = nothing.scatter_add(2, indices.flatten(2), gradient.flatten(2))
    return added.reshape(n, channels, height, width)


def avg_pool2d_backward(
    gradient: Tensor,
    images: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,  # noqa: ARG001 - says nothing without padding
    divisor: int | None,
) -> Tensor:
    """Divide each window's gradient equally among its places; windows lie side by side."""
    if any(padding) or ceil_mode or (stride and list(stride) != list(kernel)):
        raise NotImplementedError("average pooling over windows that overlap or are padded")
    n, channels, rows, columns = gradient.shape
    height, width = kernel
    shared = gradient / (divisor or height * width)
    spread = shared[:, :, :, None, :, None].expand(n, channels, rows, height, columns, width)
    whole = spread.reshape(n, channels, rows * height, columns * width)
    below, right = images.shape[2] - rows * height, images.shape[3] - columns * width
    return functional.pad(whole, (0, right, 0, below)) if below or right else whole


def threshold_backward(gradient: Tensor, images: Tensor, threshold: float) -> Tensor:
    """Return the gradient of ReLU as a product: ONNX Runtime is several times slower at `Where`."""
    return gradient * (images > threshold).to(gradient.dtype)


def hardtanh_backward(gradient: Tensor, images: Tensor, low: float, high: float) -> Tensor:
    """Return the gradient of ReLU6 as a product, as `threshold_backward` does."""
    return gradient * ((images > low) & (images < high)).to(gradient.dtype)
