"""Options that several commands share; their defaults are those of the configurations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.atomic import refuse_bytes_as_name

if TYPE_CHECKING:
    from melanoscope.data.archive import ReadOptions

DataOption = Annotated[
    list[str],
    typer.Option(
        "--data",
        metavar="KIND=PATH",
        help="Archive, repeatable. KIND: an archive (PATH: its folder; `melanoscope data kinds` "
        "lists them), table (PATH: any table), simulated (PATH: a count).",
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="OURS=THEIRS,...",
        help="Columns of own tables, as in image=filename,target=label. Default: by common names.",
    ),
]
ImageTypeOption = Annotated[
    str | None,
    typer.Option(
        "--image-type",
        help="Only photographs of these types: dermoscopic, clinical, TBP tile, RCM "
        "(comma-separated). Default: all.",
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
        help="With --target malignant, what becomes of lesions that are neither: exclude, or "
        "malignant (they count as such).",
    ),
]
BatchSizeOption = Annotated[int, typer.Option("--batch-size", help="Photographs a step.")]
SizeOption = Annotated[int, typer.Option("--size", help="Side of the photographs in pixels.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Everything random follows from it.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        help="Threads of each training; the same number gives the same bits. Default: one a core.",
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
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust",
        metavar="PUBLICKEY",
        help="Only a bundle signed by this key: its file (.pub) or its base64. Needs the extra "
        "[sign]. Default: a bundle of anybody.",
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
    from melanoscope.data.cache_folder import cache_folder as usual_folder

    folder = usual_folder(option)
    refuse_bytes_as_name(folder, "--cache")
    return folder


def read_options(cache: Path | None, columns: str | None, image_type: str | None) -> ReadOptions:
    """Return what the options say of all archives' tables."""
    from melanoscope.data.archive import ReadOptions
    from melanoscope.data.sources import parse_image_type
    from melanoscope.data.sources.own_csv import parse_columns

    return ReadOptions(cache_folder(cache), parse_columns(columns), parse_image_type(image_type))
