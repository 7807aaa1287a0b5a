"""The accelerator and the precision that training uses on this machine."""

from __future__ import annotations

from typing import Any, Literal

import torch

Precision = Literal["bf16-mixed", "16-mixed", "32-true"]
"""Names of `lightning_fabric.Fabric`."""


def accelerator() -> Literal["cuda", "cpu"]:
    """Return "cuda" where PyTorch has a usable GPU of that kind, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision() -> Precision:
    """Return mixed precision where the processor has it in hardware, else full precision."""
    if accelerator() == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    # Without these instructions bfloat16 is emulated and slower than float32.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


def describe_accelerator() -> dict[str, Any]:
    """Describe accelerator (name of the GPU, None without one) and precision, for run.json."""
    name = torch.cuda.get_device_name() if accelerator() == "cuda" else None
    return {"accelerator": name, "precision": precision()}
