"""melanoscope evaluate: a finished network on another archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.cli.options import (
    CacheOption,
    ColumnsOption,
    DataOption,
    ImageTypeOption,
    JsonOption,
    TrustOption,
    cache_folder,
    read_options,
)
from melanoscope.cli.output import print_json, say

if TYPE_CHECKING:
    from melanoscope.data.sources import DataSpec
    from melanoscope.progress import RunProgress


def evaluate(
    network: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE|RUN",
            help="Folder of a bundle; or of a run, of which the network with the highest mean "
            "AUROC is exported to OUT/bundle first.",
        ),
    ],
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page and the JSON.")] = Path(
        "evaluation"
    ),
    development: Annotated[
        list[str] | None,
        typer.Option(
            "--development",
            metavar="KIND=PATH",
            help="Archive that the network was developed on, repeatable: to find near-duplicates "
            "of its photographs too. Needs the extra [train]. Default: those of a run; of a "
            "bundle only equal files, ids, lesions and patients are found.",
        ),
    ] = None,
    corruptions: Annotated[
        bool,
        typer.Option(
            "--corruptions",
            help="Also draw hair, rulers, ink, bubbles, dark corners, blur and such on some of the "
            "photographs, at five strengths, and hide the lesion: what becomes of the answers.",
        ),
    ] = False,
    corruption_photographs: Annotated[
        int, typer.Option(help="About so many photographs, for --corruptions.")
    ] = 400,
    columns: ColumnsOption = None,
    image_type: ImageTypeOption = None,
    variant: Annotated[str, typer.Option(help="float32 or int8.")] = "float32",
    replicates: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 2000,
    trust: TrustOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test a finished network on photographs that it was not developed on."""
    from melanoscope.data.sources import parse_spec
    from melanoscope.evaluation.evaluate import evaluate_bundle
    from melanoscope.evaluation.results import EvaluationSettings
    from melanoscope.inference.predictor import load
    from melanoscope.progress import RunProgress
    from melanoscope.report.evaluation_page import evaluation_document, write_evaluation

    settings = EvaluationSettings(
        replicates=replicates, corrupted=corruption_photographs if corruptions else 0
    )
    archives = [parse_spec(text) for text in data]
    developed = [parse_spec(text) for text in development or ()]
    with RunProgress() as progress:
        if _is_run(network):
            network, developed = _export(network, out, developed, cache, progress)
        results = evaluate_bundle(
            load(network, variant=variant, trust=trust),
            archives,
            read_options(cache, columns, image_type),
            progress,
            development=developed,
            settings=settings,
        )
    page = write_evaluation(results, out)
    if as_json:
        print_json(evaluation_document(results))
    else:
        say(f"evaluation: {page}")


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() and not (folder / "bundle.json").is_file()


def _export(
    run: Path,
    out: Path,
    development: Sequence[DataSpec],
    cache: Path | None,
    progress: RunProgress,
) -> tuple[Path, list[DataSpec]]:
    """Export a run's best network, once; return its bundle and the archives that it knows."""
    from melanoscope.export.bundle_writer import ExportSettings, write_bundle
    from melanoscope.export.trained_model import model_from_run
    from melanoscope.inference.bundle import MANIFEST

    bundle = out / "bundle"
    model = model_from_run(run, cache_folder(cache), progress, data=development)
    if not (bundle / MANIFEST).is_file():
        write_bundle(
            model, bundle, ExportSettings(), lambda step: say(f"exporting: {step}", err=True)
        )
    return bundle, list(model.config.data)
