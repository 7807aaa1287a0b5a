"""What the processor is good at: accelerator, mixed precision, and their names for run.json."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, Literal

import torch

Precision = Literal["bf16-mixed", "16-mixed", "32-true"]


def accelerator() -> Literal["cuda", "cpu"]:
    """Return "cuda" where there is a usable one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision() -> Precision:
    """Return mixed precision where the processor has it in hardware, else full precision."""
    if accelerator() == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    # Without these instructions bfloat16 is emulated and slower than float32.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


def hardware() -> dict[str, Any]:
    """Name the machine's processor, cores, memory, accelerator and precision."""
    cuda = accelerator() == "cuda"
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
        if hasattr(os, "sysconf")
        else None,
        "accelerator": torch.cuda.get_device_name() if cuda else None,
        "precision": precision(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
