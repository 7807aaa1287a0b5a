"""Fits a state dict as people have it to a backbone: what is cut off is not required.

The trunk is what `Backbone.cut` keeps of a network. It must be there whole, under torchvision's
parameter names; a classifier of any number of classes and auxiliary heads may be there or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import torch
from torch import Tensor

from melanoscope.errors import WeightsError
from melanoscope.models.backbones import Backbone
from melanoscope.models.tensor_file import refuse_non_finite

# What wrappers put before every name: DataParallel, torch.compile, Lightning modules and the like.
_WRAPPED = re.compile(r"(?:(?:module|model|backbone|_orig_mod|net|network)\.)*")

# Names of torchvision's DenseNets from before PyTorch 0.4, which its own files still carry.
_OLD_DENSENET = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)")

# Beginnings of names by which other libraries' files are known.
_STRANGERS = (
    (("conv_stem.", "blocks."), "timm's parameter names"),
    (("embedder.", "encoder.stages."), "the parameter names of Hugging Face's transformers"),
)
_MEND = "check that the file belongs to this network"


def fit_to_trunk(
    backbone: Backbone, state: Mapping[str, Tensor], origin: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Choose what of a state dict belongs to a backbone.

    Args:
        backbone: Entry of the registry.
        state: Tensors by name; a prefix before all (``module.``) is taken away.
        origin: Where they come from, for errors.

    Returns:
        The tensors of the trunk, whole, by torchvision's names and in the network's own number
        format; and those beside the trunk that fit the network's classifier.

    Raises:
        WeightsError: A tensor of the trunk is missing, of another shape, not finite or zeros only,
            or the file belongs to another network or holds two.
    """
    with torch.device("meta"):
        network = backbone.build()
    own = network.state_dict(keep_vars=True)
    # Some networks change when they are cut, so the names are those from before.
    kept = {id(tensor) for tensor in backbone.cut(network).state_dict(keep_vars=True).values()}
    inside = [name for name, tensor in own.items() if id(tensor) in kept]
    # Counters of batches are no weights; files from before 2018 lack them.
    required = [name for name in inside if not name.endswith("num_batches_tracked")]
    named = {_OLD_DENSENET.sub(r"\1\2", name): tensor for name, tensor in state.items()}
    named = _without_prefix(required, named, origin)
    _refuse_other_names(required, inside, named, origin)
    for name in required:
        _refuse_other_tensor(name, named[name], own[name].shape, origin)
    refuse_non_finite({name: named[name] for name in required}, origin)
    trunk = {name: named[name].to(own[name].dtype) for name in inside if name in named}
    beside = {
        name: named[name].to(tensor.dtype)
        for name, tensor in own.items()
        if name not in trunk and name in named and named[name].shape == tensor.shape
    }
    return trunk, beside


def _without_prefix(
    required: list[str], named: dict[str, Tensor], origin: str
) -> dict[str, Tensor]:
    """Take away what wrappers put before every name; refuse to choose between two networks."""
    first = required[0]
    before = sorted(name.removesuffix(first) for name in named if name.endswith(first))
    prefixes = [one for one in before if not one or one.endswith(".")]
    whole = [one for one in prefixes if all(one + name in named for name in required)]
    usual = [one for one in whole or prefixes if _WRAPPED.fullmatch(one)]
    # Of a teacher and a student, or an average and its network, nothing says which is meant.
    for other in [] if usual else whole[1:]:
        if not all(torch.equal(named[whole[0] + n], named[other + n]) for n in required):
            raise WeightsError(
                f"one network's tensors in '{origin}'",
                f"two networks', under '{whole[0]}' and '{other}'",
                "save the one that is meant alone",
            )
    best = next(iter(usual or whole), None)
    if best is None:
        return named
    return {n.removeprefix(best): t for n, t in named.items() if n.startswith(best)}


def _refuse_other_names(
    required: list[str], inside: list[str], named: Mapping[str, Tensor], origin: str
) -> None:
    missing = [name for name in required if name not in named]
    if missing:
        found = (
            f"none so named ({len(missing)} of {len(required)} missing; {_hint(missing, named)})"
        )
        raise WeightsError(f"a tensor '{missing[0]}' in '{origin}'", found, _MEND)
    # A name among the trunk's own that the network lacks is another network's, of a larger sibling.
    parts = {name.split(".")[0] for name in inside}
    known = set(inside)
    unknown = [name for name in named if name.split(".")[0] in parts and name not in known]
    if unknown:
        raise WeightsError(f"only tensors of the network in '{origin}'", f"'{unknown[0]}'", _MEND)


def _hint(missing: list[str], named: Iterable[str]) -> str:
    """Say whose names these are, or which of them comes nearest to the first that is missing."""
    names = list(named)
    for starts, whose in _STRANGERS:
        if any(name.startswith(starts) or f".{starts[0]}" in name for name in names):
            return f"these are {whose}, not torchvision's"
    if not names:
        return "there is no tensor at all"
    close = get_close_matches(missing[0], names, n=1, cutoff=0.6)
    return f"nearest: '{close[0]}'" if close else f"the first there is '{names[0][:80]}'"


def _refuse_other_tensor(name: str, tensor: Tensor, shape: torch.Size, origin: str) -> None:
    if tensor.shape != shape:
        raise WeightsError(
            f"'{name}' of shape {tuple(shape)} in '{origin}'",
            f"shape {tuple(tensor.shape)}",
            _MEND,
        )
    if tensor.is_meta:
        raise WeightsError(
            f"values of '{name}' in '{origin}'", "its shape alone", "save the weights themselves"
        )
    plain = tensor.layout is torch.strided and not tensor.is_quantized
    if not plain or not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise WeightsError(
            f"'{name}' in '{origin}' as plain floating-point numbers",
            kind if plain else f"a sparse or quantized tensor ({kind})",
            "use the weights from before they were quantized",
        )
    # Norms may be zeros; a whole convolution is so only where a copy was filled up.
    if tensor.dim() > 1 and not tensor.any():
        raise WeightsError(
            f"weights in '{name}' of '{origin}'", "zeros only", "copy or download the file again"
        )
