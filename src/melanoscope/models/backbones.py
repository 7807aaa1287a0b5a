"""The registry of backbones. No other module lists their names.

PyTorch is imported where a network is built or cut, so that a report can name networks without it.

A backbone is a network up to its last feature map: its classifier is cut off, pooling is left to
`LesionNet`. Each entry says how to build the whole network (so that pretrained weights load
strictly, classifier included) and how to cut it.

A new backbone is one more entry of `_BACKBONES`, at the end of this module: `_torchvision_entry`
for a network of torchvision, a plain `Backbone` for any other. The tests in
tests/models/test_life_of_backbones.py take it up by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from melanoscope.errors import DataError, nearest

if TYPE_CHECKING:
    from torch import nn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Normalization = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Backbone:
    """An entry of the registry.

    Attributes:
        name: Name on the command line; torchvision's where torchvision has the network.
        label: Name in tables.
        width: Number of channels of the last feature map.
        parameters: Number of parameters that are kept, up to the last feature map.
        build: Function that builds the whole network with fresh weights, classifier included.
        cut: Function that turns the whole network into a module from normalized images
            (n, 3, h, w) to features (n, width, h', w').
        normalization: Mean and standard deviation per channel of RGB in 0..1, as the weights
            expect.
        poster: Whether the network stands in the poster's Table 1.
        pretrained: Whether ImageNet weights of the network exist.
        min_px: Smallest side in pixels of a photograph that the network's strides allow.
    """

    name: str
    label: str
    width: int
    parameters: int
    build: Callable[[], nn.Module]
    cut: Callable[[nn.Module], nn.Module]
    normalization: Normalization = IMAGENET
    poster: bool = False
    pretrained: bool = True
    min_px: int = 32


def _children(*names: str, relu: bool = False) -> Callable[[nn.Module], nn.Module]:
    """Cut a network whose features are several submodules in a row."""

    def cut(network: nn.Module) -> nn.Module:
        from melanoscope.models.networks import in_a_row

        return in_a_row(network, names, relu=relu)

    return cut


def _standard_cnn() -> nn.Module:
    from melanoscope.models.networks import StandardCNN

    return StandardCNN()


def _timm_features(network: nn.Module) -> nn.Module:
    from melanoscope.models.networks import TimmFeatures

    return TimmFeatures(network)


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
_FEATURES = attrgetter("features")


def _torchvision_entry(
    name: str,
    label: str,
    width: int,
    parameters: int,
    cut: Callable[[nn.Module], nn.Module] = _FEATURES,
    *,
    poster: bool = False,
    normalization: Normalization = IMAGENET,
    **options: object,
) -> Backbone:
    def build() -> nn.Module:
        from torchvision import models

        network: nn.Module = models.get_model(name, weights=None, **options)
        return network

    return Backbone(name, label, width, parameters, build, cut, normalization, poster)


_BACKBONES: tuple[Backbone, ...] = (
    # The poster's eleven, in the order of its table (a). Normalization: its GoogLeNet weights were
    # converted from TensorFlow; torchvision's `transform_input` brings ImageNet's normalization
    # back to theirs, which is 0.5 and 0.5, so the cut network is given those at once.
    Backbone(
        "standard_cnn",
        "Standard CNN",
        11,
        8_327,
        _standard_cnn,
        lambda n: n,
        poster=True,
        pretrained=False,
    ),
    _torchvision_entry("vgg16", "VGG-16", 512, 14_714_688, poster=True),
    _torchvision_entry("squeezenet1_0", "SqueezeNet 1.0", 512, 735_424, poster=True),
    _torchvision_entry(
        "resnext50_32x4d", "ResNeXt-50 32x4d", 2048, 22_979_904, _RESNET, poster=True
    ),
    _torchvision_entry(
        "densenet161",
        "DenseNet-161",
        2208,
        26_472_000,
        _children("features", relu=True),
        poster=True,
    ),
    _torchvision_entry(
        "googlenet",
        "GoogLeNet",
        1024,
        5_599_904,
        _GOOGLENET,
        poster=True,
        normalization=HALF,
        aux_logits=True,
        transform_input=False,
        init_weights=True,
    ),
    _torchvision_entry("resnet50", "ResNet-50", 2048, 23_508_032, _RESNET, poster=True),
    _torchvision_entry("mobilenet_v2", "MobileNetV2", 1280, 2_223_872, poster=True),
    _torchvision_entry(
        "mnasnet1_0", "MnasNet 1.0", 1280, 3_102_312, attrgetter("layers"), poster=True
    ),
    _torchvision_entry(
        "shufflenet_v2_x1_0", "ShuffleNetV2 1.0x", 1024, 1_253_604, _SHUFFLENET, poster=True
    ),
    _torchvision_entry("efficientnet_b2", "EfficientNet-B2", 1408, 7_700_994, poster=True),
    # Smaller siblings.
    _torchvision_entry("squeezenet1_1", "SqueezeNet 1.1", 512, 722_496),
    _torchvision_entry("mobilenet_v3_small", "MobileNetV3 small", 576, 927_008),
    _torchvision_entry("mobilenet_v3_large", "MobileNetV3 large", 960, 2_971_952),
    _torchvision_entry("resnet18", "ResNet-18", 512, 11_176_512, _RESNET),
    _torchvision_entry("resnet34", "ResNet-34", 512, 21_284_672, _RESNET),
    _torchvision_entry("shufflenet_v2_x0_5", "ShuffleNetV2 0.5x", 1024, 341_792, _SHUFFLENET),
    _torchvision_entry("mnasnet0_5", "MnasNet 0.5", 1280, 937_512, attrgetter("layers")),
    _torchvision_entry(
        "densenet121", "DenseNet-121", 1024, 6_953_856, _children("features", relu=True)
    ),
    _torchvision_entry("efficientnet_b0", "EfficientNet-B0", 1280, 4_007_548),
    _torchvision_entry("efficientnet_b1", "EfficientNet-B1", 1280, 6_513_184),
    Backbone(
        "tf_efficientnet_lite0",
        "EfficientNet-Lite0",
        1280,
        3_371_008,
        _timm("tf_efficientnet_lite0"),
        _timm_features,
        HALF,
    ),
)

REGISTRY: dict[str, Backbone] = {entry.name: entry for entry in _BACKBONES}
POSTER: tuple[str, ...] = tuple(entry.name for entry in _BACKBONES if entry.poster)


def get_backbone(name: str) -> Backbone:
    """Return the registry's entry of that name; a DataError names the nearest known one.

    >>> get_backbone("resnet18").width
    512
    """
    if name not in REGISTRY:
        raise DataError("a known backbone", f"'{name}'", nearest(name, list(REGISTRY)))
    return REGISTRY[name]


def labels() -> dict[str, str]:
    """Return the name in tables of each backbone, by its name on the command line."""
    return {name: entry.label for name, entry in REGISTRY.items()}
