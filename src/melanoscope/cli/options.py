"""Options that several commands share; their defaults are those of the configurations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

DataOption = Annotated[
    list[str],
    typer.Option(
        "--data",
        metavar="KIND=PATH",
        help="Archive, repeatable. KIND: isic2020, isic2019, isic2019-melanoma, ham10000, "
        "pad-ufes-20 (folders), table (a CSV), simulated (a count).",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        help="What to look for: melanoma, malignant, or NAME=DIAGNOSIS,DIAGNOSIS,... of your own.",
    ),
]
IndeterminateOption = Annotated[
    str,
    typer.Option(
        "--indeterminate",
        help="With --target malignant, lesions that are neither: exclude, or count as malignant.",
    ),
]
BatchSizeOption = Annotated[int, typer.Option("--batch-size", help="Photographs a step.")]
SizeOption = Annotated[int, typer.Option("--size", help="Side of the photographs in pixels.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Everything random follows from it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Folder of decoded photographs. Default: MELANOSCOPE_CACHE, or melanoscope in the "
        "user's cache.",
    ),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="Folder with <backbone>.safetensors or .pth, or torchvision's own files. Default: a "
        "package's weights, else torchvision's download.",
    ),
]


def cache_folder(option: Path | None) -> Path:
    """Return the folder of decoded photographs: the option, the environment, the user's cache."""
    if option is not None:
        return option
    if variable := os.environ.get("MELANOSCOPE_CACHE"):
        return Path(variable)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "melanoscope"


def print_json(value: dict[str, Any]) -> None:
    """Print `value` as one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
