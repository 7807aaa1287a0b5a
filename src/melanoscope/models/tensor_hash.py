"""Tensors told apart by their values, whatever file they came from."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import xxhash
from torch import Tensor


def tensor_hash(tensors: Mapping[str, Tensor]) -> str:
    """Return the XXH3 of names, types, shapes and values, 128 bits as 32 hexadecimal digits.

    The same weights have the same hash as safetensors and as PyTorch's own file.

    >>> weights = {"a": torch.ones(2), "b": torch.zeros(3)}
    >>> tensor_hash(weights) == tensor_hash(dict(reversed(weights.items())))
    True
    >>> tensor_hash(weights) == tensor_hash(weights | {"a": torch.zeros(2)})
    False
    """
    digest = xxhash.xxh3_128()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
