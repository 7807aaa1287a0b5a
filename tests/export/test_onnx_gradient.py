from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.export import onnx_decompositions, onnx_gradient
from melanoscope.export.onnx_gradient import export_gradient, record_gradient
from melanoscope.inference.explain.integrated_gradients import integrated_gradients
from melanoscope.models import integrated_gradients as captum_gradients
from melanoscope.models.backbones import REGISTRY, Backbone
from melanoscope.models.lesion_net import LesionNet

from .lively import ALL_BACKBONES, PX, coloured, lively, slow_but

# Backbones of which no gradient graph can be had.
WITHOUT: frozenset[str] = frozenset()


def evidence_and_gradient(network: LesionNet, images: Tensor) -> tuple[Tensor, Tensor]:
    """What PyTorch says: of the places' sum, which no static data enters."""
    images = images.detach().requires_grad_()
    places = network.evidence(images, images.new_zeros(len(images), patient.WIDTH)).places
    evidence = places.sum(dim=(1, 2))
    (gradient,) = torch.autograd.grad(evidence.sum(), images)
    return evidence.detach(), gradient


class File:
    """A gradient.onnx, asked with tensors."""

    def __init__(self, path: Path) -> None:
        self.session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        evidence, gradient = self.session.run(
            ["photograph_evidence", "gradient"], {"images": images}
        )
        return evidence, gradient


def apart(found: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    """Largest error of each photograph's gradient, relative to its largest entry."""
    largest = np.abs(expected).max(axis=(1, 2, 3))
    return np.abs(found - expected).max(axis=(1, 2, 3)) / largest


@pytest.mark.parametrize("name", ALL_BACKBONES)
def test_is_recorded_as_pytorch_computes_it(name: str) -> None:
    """In double precision no rounding carries a unit over the kink of its ReLU: all must agree."""
    network = lively(name).double()
    recorded = record_gradient(network, PX)
    for count in (1, 3):
        images = coloured(count).double()
        found, expected = recorded(images), evidence_and_gradient(network, images)
        torch.testing.assert_close(found[0], expected[0], rtol=1e-9, atol=1e-12)
        assert apart(found[1].numpy(), expected[1].numpy()).max() < 1e-7
        assert expected[1].abs().max() > 1e-6


# An export takes some seconds more than the recording, so fewer are made on every run.
@pytest.mark.parametrize("name", slow_but("standard_cnn", "squeezenet1_1", "mobilenet_v2"))
def test_is_pytorchs_gradient(name: str, tmp_path: Path) -> None:
    network, path = lively(name), tmp_path / "gradient.onnx"
    if name in WITHOUT:
        with pytest.raises(BundleError):
            export_gradient(network, PX, path)
        return
    export_gradient(network, PX, path)
    run, errors = File(path), []
    for count in (1, 3, 8, 8, 8, 8):
        images = coloured(count)
        expected = [one.numpy() for one in evidence_and_gradient(network, images)]
        evidence, gradient = run(images.numpy())
        assert gradient.shape == (count, 3, PX, PX)
        assert evidence.dtype == gradient.dtype == np.float32
        np.testing.assert_allclose(evidence, expected[0], rtol=1e-4, atol=1e-4)
        errors += apart(gradient, expected[1]).tolist()
    # In single precision the gradient jumps where rounding carries a unit over its kink: the larger
    # the network, the more often. On photographs where it does not happen, the two agree.
    assert sum(error < 1e-3 for error in errors) >= 3, sorted(errors)[:5]
    assert max(errors) < 0.5


def tiny(*layers: nn.Module, width: int = 4) -> LesionNet:
    torch.manual_seed(0)
    entry = Backbone("tiny", "Tiny", width, 0, lambda: nn.Sequential(*layers), lambda n: n)
    return LesionNet(entry, entry.build()).eval()


def test_of_a_linear_network_is_its_weights(tmp_path: Path) -> None:
    network = tiny(nn.Conv2d(3, 4, 1))
    export_gradient(network, 6, tmp_path / "g.onnx")
    _, found = File(tmp_path / "g.onnx")(coloured(5, 6).numpy())
    kernel = network.image_branch[0].weight[:, :, 0, 0].detach()
    per_colour = (network.head.weight[0, :4].detach() @ kernel) / network.deviation.view(3) / 36
    expected = np.broadcast_to(per_colour.numpy()[:, None, None], found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_says_why_where_it_cannot_be_had(tmp_path: Path) -> None:
    network = tiny(nn.Conv2d(3, 4, 1), nn.AvgPool2d(3, stride=1))
    with pytest.raises(BundleError) as caught:
        export_gradient(network, 8, tmp_path / "g.onnx")
    assert caught.value.expected == "a gradient graph of tiny"
    assert caught.value.found == "average pooling over windows that overlap or are padded"
    assert not list(tmp_path.iterdir())


def test_a_wrong_graph_is_noticed_and_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(gradient: Tensor, images: Tensor, threshold: float) -> Tensor:
        return gradient

    table = onnx_decompositions.decomposition_table()
    table[torch.ops.aten.threshold_backward.default] = careless
    monkeypatch.setattr(onnx_gradient, "decomposition_table", lambda: table)
    with pytest.raises(BundleError, match="off PyTorch's gradient"):
        export_gradient(lively("standard_cnn"), PX, tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())


def test_leaves_the_network_as_it_is_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = tiny(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.BatchNorm2d(4))
    before = copy.deepcopy(network.state_dict())
    layout = str(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_gradient(network, 8, tmp_path / "g.onnx")
    assert str(network) == layout
    assert network.image_branch[2].inplace
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert capfd.readouterr() == ("", "")
    content = (tmp_path / "g.onnx").read_bytes()
    for word in (str(Path.home()), str(Path.cwd()), "site-packages", ".py"):
        assert word.encode() not in content, word


def test_integrated_gradients_are_captums(tmp_path: Path) -> None:
    network = lively("standard_cnn")
    export_gradient(network, PX, tmp_path / "g.onnx")
    photograph = (coloured(1)[0].permute(1, 2, 0) * 255).to(torch.uint8).numpy()
    run, known = File(tmp_path / "g.onnx"), np.full(patient.WIDTH, 0.5, np.float32)
    found = integrated_gradients(run, photograph, baseline="black", steps=64, max_steps=64)
    # Captum's function is the whole logit, of which the static data is a constant part.
    expected = captum_gradients.integrated_gradients(network, photograph, known, steps=64)
    error = np.abs(found.pixels - expected.pixels).max() / np.abs(expected.pixels).max()
    assert error < 1e-3
    assert found.difference == pytest.approx(expected.difference, rel=1e-4, abs=1e-6)


# Each decomposition against PyTorch's own operator.

aten = torch.ops.aten


@settings(max_examples=150)
@given(
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 2),
    groups=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    size=st.tuples(st.integers(3, 9), st.integers(3, 9)),
)
def test_convolution_backward(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: int,
    groups: int,
    channels: tuple[int, int],
    size: tuple[int, int],
) -> None:
    places = [
        (size[i] + 2 * padding[i] - dilation * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    ]
    assume(min(places) > 0)
    images = torch.rand(2, groups * channels[0], *size, dtype=torch.double)
    weight = torch.rand(groups * channels[1], channels[0], *kernel, dtype=torch.double)
    gradient = torch.rand(2, groups * channels[1], *places, dtype=torch.double)
    arguments = (
        *(gradient, images, weight, [len(weight)], stride, padding, (dilation, dilation)),
        *(False, [0, 0], groups, [True, False, False]),
    )
    expected = aten.convolution_backward(*arguments)[0]
    torch.testing.assert_close(onnx_decompositions.convolution_backward(*arguments)[0], expected)


@settings(max_examples=100)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    padded=st.booleans(),
    ceil=st.booleans(),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    ties=st.booleans(),
)
def test_max_pool2d_backward(
    kernel: int, stride: int, padded: bool, ceil: bool, size: tuple[int, int], ties: bool
) -> None:
    images = torch.rand(2, 3, *size, dtype=torch.double)
    images = images.round() if ties else images
    way = ([kernel] * 2, [stride] * 2, [kernel // 2 if padded else 0] * 2, [1, 1], ceil)
    values, indices = aten.max_pool2d_with_indices(images, *way)
    gradient = torch.rand_like(values)
    expected = aten.max_pool2d_with_indices_backward(gradient, images, *way, indices)
    found = onnx_decompositions.max_pool2d_with_indices_backward(gradient, images, *way, indices)
    torch.testing.assert_close(found, expected)


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    divisor=st.sampled_from([None, 3]),
    stated=st.booleans(),
)
def test_avg_pool2d_backward(
    kernel: tuple[int, int], size: tuple[int, int], divisor: int | None, stated: bool
) -> None:
    images = torch.rand(2, 3, *size, dtype=torch.double)
    stride = list(kernel) if stated else []
    gradient = torch.rand_like(functional.avg_pool2d(images, kernel))
    arguments = (gradient, images, list(kernel), stride, [0, 0], False, True, divisor)
    torch.testing.assert_close(
        onnx_decompositions.avg_pool2d_backward(*arguments), aten.avg_pool2d_backward(*arguments)
    )


def test_activations_backward_at_and_beside_their_kinks() -> None:
    values = torch.tensor([-1.0, 0.0, 1e-30, 3.0, 6.0, 7.0])
    gradient = torch.arange(1.0, 7.0)
    torch.testing.assert_close(
        onnx_decompositions.threshold_backward(gradient, values, 0),
        aten.threshold_backward(gradient, values, 0),
    )
    torch.testing.assert_close(
        onnx_decompositions.hardtanh_backward(gradient, values, 0, 6),
        aten.hardtanh_backward(gradient, values, 0, 6),
    )


def test_every_backbone_of_the_registry_is_looked_at() -> None:
    named = {one if isinstance(one, str) else one.values[0] for one in ALL_BACKBONES}
    assert named == set(REGISTRY)
    assert set(REGISTRY) >= WITHOUT
