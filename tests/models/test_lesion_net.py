from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from melanoscope import patient
from melanoscope.models import lesion_net
from melanoscope.models.backbones import Backbone, get_backbone
from melanoscope.models.networks import StandardCNN
from melanoscope.models.weights import find_weights, load_pretrained


def tiny() -> lesion_net.LesionNet:
    """A network that is linear in the photograph."""
    entry = Backbone("tiny", "Tiny", 5, 0, lambda: nn.Conv2d(3, 5, 1), lambda n: n)
    return lesion_net.LesionNet(entry, entry.build())


def test_normalisation_is_inside_and_as_the_weights_expect() -> None:
    network = tiny()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    with torch.no_grad():
        features = network.features(mean)
    bias = network.image_branch.bias
    torch.testing.assert_close(features, bias.view(1, 5, 1, 1).expand(1, 5, 4, 4))


def test_googlenets_normalisation_is_that_of_its_weights() -> None:
    """torchvision's own `transform_input` on ImageNet-normalised input is the oracle."""
    from torchvision.models import googlenet

    oracle = googlenet(weights=None, transform_input=True, init_weights=False, aux_logits=False)
    rgb = torch.rand(2, 3, 8, 8)
    mean, deviation = (
        torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    ours_mean, ours_deviation = (
        torch.tensor(v).view(1, 3, 1, 1) for v in get_backbone("googlenet").normalization
    )
    theirs = oracle._transform_input((rgb - mean) / deviation)
    torch.testing.assert_close((rgb - ours_mean) / ours_deviation, theirs, rtol=1e-4, atol=1e-5)


def test_standard_cnn_registers_all_five_convolutions() -> None:
    convolutions = [m for m in StandardCNN().modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [11] * 5
    assert {c.kernel_size for c in convolutions} == {(4, 4)}


def test_frozen_branch_keeps_its_weights_and_its_batch_statistics() -> None:
    network = lesion_net.fresh("shufflenet_v2_x0_5")
    network.freeze(True)
    network.train()
    before = {n: t.clone() for n, t in network.image_branch.state_dict().items()}
    optimiser = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=1.0)
    network(torch.rand(4, 3, 64, 64), torch.rand(4, patient.WIDTH)).sum().backward()
    optimiser.step()
    for name, tensor in network.image_branch.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert network.static_branch.training


IMAGENET_CLASSES = {"cat": range(281, 286), "coffee": (504, 967)}  # domestic cats; mug, espresso


def _names(backbone: Backbone, folder: Path | None) -> None:
    """Weights that are read rightly name a cat and a cup of coffee."""
    from skimage import data, transform

    network = load_pretrained(backbone, folder).eval()
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in backbone.normalization)
    for name, picture in (("cat", data.chelsea()), ("coffee", data.coffee())):
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = picture[top : top + side, left : left + side]
        small = transform.resize(square, (224, 224), anti_aliasing=True)
        image = torch.from_numpy(small).float().permute(2, 0, 1)[None]
        with torch.no_grad():
            best = int(network((image - mean) / deviation).argmax())
        assert best in IMAGENET_CLASSES[name], (backbone.name, name, best)


def test_packaged_weights_name_cat_and_coffee() -> None:
    _names(get_backbone("tf_efficientnet_lite0"), None)


@pytest.mark.real
@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1"])
def test_real_weights_name_cat_and_coffee(name: str, real_folder: Path) -> None:
    weights = real_folder / "weights"
    assert find_weights(get_backbone(name), weights)[1].endswith(".safetensors")
    _names(get_backbone(name), weights)


def test_a_network_of_the_photograph_alone_passes_static_data_over(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = lesion_net.fresh("squeezenet1_1", with_static=False).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        one = network(images, torch.zeros(2, patient.WIDTH))
        other = network(images, torch.rand(2, patient.WIDTH))
        evidence = network.evidence(images, torch.rand(2, patient.WIDTH))
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(evidence.logit, one, rtol=1e-4, atol=1e-5)
    assert not evidence.static.any()
    assert not any(name.startswith("static_branch") for name in network.state_dict())
    save_file(
        {k: t.contiguous() for k, t in network.state_dict().items()}, tmp_path / "m.safetensors"
    )
    again = lesion_net.from_checkpoint("squeezenet1_1", tmp_path / "m.safetensors")
    assert again.static_branch is None
