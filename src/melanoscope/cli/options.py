"""Options that several commands share, and what they come to."""

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
        help="Folder with <backbone>.safetensors or .pth. Default: a package's weights, else "
        "torchvision's download.",
    ),
]


def cache_folder(given: Path | None) -> Path:
    """Return the folder of decoded photographs: the option, the environment, the user's cache."""
    if given is not None:
        return given
    named = os.environ.get("MELANOSCOPE_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "melanoscope"


def print_json(value: dict[str, Any]) -> None:
    """Print one document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
