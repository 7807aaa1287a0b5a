"""Every one of the poster's networks through its whole life."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from melanoscope import patient
from melanoscope.errors import DataError, WeightsError
from melanoscope.models import lesion_net
from melanoscope.models.backbones import POSTER, REGISTRY, get_backbone
from melanoscope.models.weights import load_pretrained, load_strictly
from melanoscope.runs.files import write_tensors
from melanoscope.training.batches import LesionArrays
from melanoscope.training.config import TrainConfig
from melanoscope.training.fit import fit, predict

PX = 64


@pytest.fixture(scope="module")
def arrays() -> LesionArrays:
    rng = np.random.default_rng(0)
    n = 12
    return LesionArrays(
        image_id=np.array([f"i{k}" for k in range(n)]),
        pixels=rng.integers(0, 256, (n, PX, PX, 3), np.uint8),
        rows=np.arange(n),
        static=rng.normal(size=(n, patient.WIDTH)).astype(np.float32),
        targets=(np.arange(n) % 2).astype(np.int8),
    )


def channels_of(network: lesion_net.LesionNet) -> int:
    with torch.no_grad():
        return network.eval().features(torch.zeros(1, 3, PX, PX)).shape[1]


@pytest.mark.parametrize("name", REGISTRY)
def test_the_registry_counts_what_is_kept(name: str) -> None:
    entry = get_backbone(name)
    with torch.device("meta"):
        trunk = entry.cut(entry.build())
    assert sum(parameter.numel() for parameter in trunk.parameters()) == entry.parameters


@pytest.mark.parametrize("name", POSTER)
def test_life(name: str, arrays: LesionArrays, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = lesion_net.fresh(name)
    assert channels_of(network) == get_backbone(name).width

    # forward, and the exact sum
    pixels, known, _ = arrays.batch(list(range(4)))
    images = lesion_net.to_images(pixels)
    network.eval()
    with torch.no_grad():
        logits = network(images, known)
        parts = network.evidence(images, known)
    assert logits.shape == (4,)
    torch.testing.assert_close(parts.logit, logits, rtol=1e-4, atol=1e-5)

    # one training step changes every parameter (the poster's standard CNN failed this)
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    recipe = TrainConfig(epochs=1, batch_size=8)
    fit(network, arrays, np.arange(8), np.arange(8, 12), recipe, "scratch", seed=0)
    still = [n for n, p in network.named_parameters() if torch.equal(p.detach(), before[n])]
    assert still == []

    # checkpoint round trip
    path = tmp_path / "model.safetensors"
    write_tensors(path, network.state_dict())
    again = lesion_net.from_checkpoint(name, path)
    rows = np.arange(8, 12)
    for key, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor), key
    # The trained network's memory is laid out otherwise, so that the last bit may differ.
    expected = predict(network, arrays, rows)
    np.testing.assert_allclose(predict(again, arrays, rows), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in POSTER if REGISTRY[n].pretrained])
def test_pretrained_weights_load_strictly(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    backbone = get_backbone(name)
    source = backbone.build()
    state = source.state_dict()
    save_file({n: t.contiguous() for n, t in state.items()}, tmp_path / f"{name}.safetensors")
    loaded = load_pretrained(backbone, tmp_path)
    for key, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, state[key]), key

    # A tensor in the middle: not only the first or the classifier is looked at.
    weights = [n for n in state if n.endswith("weight")]
    victim = weights[len(weights) // 2]
    renamed = {("x." + n if n == victim else n): t for n, t in state.items()}
    with pytest.raises(WeightsError, match=victim.replace(".", r"\.")):
        load_strictly(loaded, renamed, "file")
    misshapen = {n: (t[..., :0] if n == victim else t) for n, t in state.items()}
    with pytest.raises(WeightsError, match=victim.replace(".", r"\.")):
        load_strictly(loaded, misshapen, "file")
    with pytest.raises(WeightsError, match="stranger"):
        load_strictly(loaded, {**state, "stranger": torch.zeros(1)}, "file")


@pytest.mark.parametrize("name", [n for n in REGISTRY if n not in POSTER])
def test_siblings_have_the_width_they_state(name: str) -> None:
    network = lesion_net.fresh(name)
    assert channels_of(network) == get_backbone(name).width


def test_the_posters_eleven() -> None:
    assert len(POSTER) == 11


def test_unknown_backbone_names_the_nearest() -> None:
    with pytest.raises(DataError, match="resnet50"):
        get_backbone("resnet_50")
