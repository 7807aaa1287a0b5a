"""The one registry of backbones. No other module knows a backbone's name.

A backbone is a network up to its last feature map: classifier cut off, pooling left to
`LesionNet`. Each entry says how to build the whole network (so that pretrained weights load
strictly, classifier included) and how to cut it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from melanoscope.errors import DataError, nearest

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Normalisation = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Backbone:
    """A network of the registry.

    Attributes:
        name: Name on the command line; torchvision's where torchvision has it.
        label: Name in tables.
        width: Channels of the last feature map.
        build: Builds the whole network with fresh weights, classifier included.
        cut: Takes the whole network and returns images (n, 3, h, w) -> features (n, width, h', w').
        normalisation: Mean and deviation per channel of RGB in 0..1, as the weights expect.
        poster: Whether it stands in the poster's Table 1.
        pretrained: Whether ImageNet weights exist.
        min_px: Smallest side of a photograph that its strides allow.
    """

    name: str
    label: str
    width: int
    build: Callable[[], nn.Module]
    cut: Callable[[nn.Module], nn.Module]
    normalisation: Normalisation = IMAGENET
    poster: bool = False
    pretrained: bool = True
    min_px: int = 32


def _torchvision(name: str, **options: object) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from torchvision import models

        network: nn.Module = models.get_model(name, weights=None, **options)
        return network

    return build


def _attribute(name: str) -> Callable[[nn.Module], nn.Module]:
    """Cut a network whose features are one submodule."""

    def cut(network: nn.Module) -> nn.Module:
        features: nn.Module = getattr(network, name)
        return features

    return cut


def _children(*names: str, after: nn.Module | None = None) -> Callable[[nn.Module], nn.Module]:
    """Cut a network whose features are several submodules in a row."""

    def cut(network: nn.Module) -> nn.Module:
        stages = nn.Sequential()
        for name in names:
            stages.add_module(name, getattr(network, name))
        if after is not None:
            stages.add_module("after", after)
        return stages

    return cut


class StandardCNN(nn.Module):
    """The poster's baseline: five convolutions of 11 filters, kernel 4, max-pool 3, dropout 0.4.

    The poster's code kept the convolutions in a Python list, where no optimiser found them; here
    they are submodules and are trained. Where its pooling stood is not said: it stands behind the
    first convolution, whose padding keeps small photographs alive.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(5):
            layers += [nn.Conv2d(3 if index == 0 else 11, 11, 4, padding=1), nn.ReLU(inplace=True)]
            if index == 0:
                layers.append(nn.MaxPool2d(3))
        self.features = nn.Sequential(*layers, nn.Dropout(0.4))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, h, w) to features (n, 11, h', w')."""
        features: Tensor = self.features(images)
        return features


class TimmFeatures(nn.Module):
    """A timm network without pooling and classifier."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        network.reset_classifier(0, "")  # type: ignore[operator]
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, h, w) to features (n, width, h', w')."""
        features: Tensor = self.network(images)
        return features


def _timm(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        try:
            import timm
        except ImportError:
            raise DataError(
                f"timm, which builds {name}", "no such package", "pip install 'melanoscope[timm]'"
            ) from None
        network: nn.Module = timm.create_model(name, pretrained=False)
        return network

    return build


_RESNET = _children("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
_SHUFFLENET = _children("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5")
_GOOGLENET = _children(
    *("conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3"),
    *("inception4a", "inception4b", "inception4c", "inception4d", "inception4e", "maxpool4"),
    *("inception5a", "inception5b"),
)
_FEATURES = _attribute("features")


def _tv(
    name: str,
    label: str,
    width: int,
    cut: Callable[[nn.Module], nn.Module] = _FEATURES,
    *,
    poster: bool = False,
    normalisation: Normalisation = IMAGENET,
    **options: object,
) -> Backbone:
    build = _torchvision(name, **options)
    return Backbone(name, label, width, build, cut, normalisation, poster)


_ENTRIES: tuple[Backbone, ...] = (
    # The poster's eleven, in the order of its table (a). Normalisation: its GoogLeNet weights were
    # converted from TensorFlow; torchvision's `transform_input` brings ImageNet's normalisation
    # back to theirs, which is 0.5 and 0.5, so the cut network is given those at once.
    Backbone(
        "standard_cnn", "Standard CNN", 11, StandardCNN, lambda n: n, poster=True, pretrained=False
    ),
    _tv("vgg16", "VGG-16", 512, poster=True),
    _tv("squeezenet1_0", "SqueezeNet 1.0", 512, poster=True),
    _tv("resnext50_32x4d", "ResNeXt-50 32x4d", 2048, _RESNET, poster=True),
    _tv(
        "densenet161",
        "DenseNet-161",
        2208,
        _children("features", after=nn.ReLU()),
        poster=True,
    ),
    _tv(
        "googlenet",
        "GoogLeNet",
        1024,
        _GOOGLENET,
        poster=True,
        normalisation=HALF,
        aux_logits=True,
        transform_input=False,
        init_weights=True,
    ),
    _tv("resnet50", "ResNet-50", 2048, _RESNET, poster=True),
    _tv("mobilenet_v2", "MobileNetV2", 1280, poster=True),
    _tv("mnasnet1_0", "MnasNet 1.0", 1280, _attribute("layers"), poster=True),
    _tv("shufflenet_v2_x1_0", "ShuffleNetV2 1.0x", 1024, _SHUFFLENET, poster=True),
    _tv("efficientnet_b2", "EfficientNet-B2", 1408, poster=True),
    # Smaller siblings.
    _tv("squeezenet1_1", "SqueezeNet 1.1", 512),
    _tv("mobilenet_v3_small", "MobileNetV3 small", 576),
    _tv("mobilenet_v3_large", "MobileNetV3 large", 960),
    _tv("resnet18", "ResNet-18", 512, _RESNET),
    _tv("resnet34", "ResNet-34", 512, _RESNET),
    _tv("shufflenet_v2_x0_5", "ShuffleNetV2 0.5x", 1024, _SHUFFLENET),
    _tv("mnasnet0_5", "MnasNet 0.5", 1280, _attribute("layers")),
    _tv("densenet121", "DenseNet-121", 1024, _children("features", after=nn.ReLU())),
    _tv("efficientnet_b0", "EfficientNet-B0", 1280),
    _tv("efficientnet_b1", "EfficientNet-B1", 1280),
    Backbone(
        "tf_efficientnet_lite0",
        "EfficientNet-Lite0",
        1280,
        _timm("tf_efficientnet_lite0"),
        TimmFeatures,
        HALF,
    ),
)

REGISTRY: dict[str, Backbone] = {entry.name: entry for entry in _ENTRIES}
POSTER: tuple[str, ...] = tuple(entry.name for entry in _ENTRIES if entry.poster)


def get_backbone(name: str) -> Backbone:
    """Return a registry entry.

    Raises:
        DataError: No such backbone; names the nearest.
    """
    if name not in REGISTRY:
        raise DataError("a known backbone", f"'{name}'", nearest(name, list(REGISTRY)))
    return REGISTRY[name]


def labels() -> dict[str, str]:
    """Return the names of all backbones for tables."""
    return {name: entry.label for name, entry in REGISTRY.items()}


def feature_size(features: nn.Module, px: int) -> tuple[int, int, int]:
    """Return channels, height and width of the feature map of photographs px wide."""
    was_training = features.training
    features.eval()
    with torch.no_grad():
        shape = features(torch.zeros(1, 3, px, px)).shape
    features.train(was_training)
    return int(shape[1]), int(shape[2]), int(shape[3])
