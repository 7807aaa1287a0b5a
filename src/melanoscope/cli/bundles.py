"""melanoscope train and export: how bundles are made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.benchmark.config import BenchmarkConfig, parse_transfers, split_names
from melanoscope.cli.options import (
    BatchSizeOption,
    CacheOption,
    ColumnsOption,
    DataOption,
    ImageTypeOption,
    IndeterminateOption,
    JsonOption,
    SeedOption,
    SizeOption,
    TargetOption,
    ThreadsOption,
    WeightsOption,
    cache_folder,
)
from melanoscope.cli.output import print_json, say
from melanoscope.target import MELANOMA
from melanoscope.training.config import TrainConfig

if TYPE_CHECKING:
    from melanoscope.export.bundle_writer import ExportSettings
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.inference.bundle import Bundle
    from melanoscope.inference.manifest import BundleManifest

OutOption = Annotated[Path, typer.Option("--out", help="Folder of the bundle, new or empty.")]
PrevalenceOption = Annotated[
    float | None,
    typer.Option(
        "--prevalence",
        help="Share of positive lesions that answers assume where none is stated. Default: for "
        "melanoma 0.0176, ISIC 2020's; for another target that of the training photographs.",
    ),
]
Int8Option = Annotated[
    bool, typer.Option("--int8/--no-int8", help="Try an int8 variant of the network.")
]
SignOption = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="SECRETKEY",
        help="Sign the bundle with this key of minisign or `melanoscope keygen`. Needs the extra "
        "[sign].",
    ),
]


def train(
    data: DataOption,
    out: OutOption,
    backbone: Annotated[str, typer.Option(help="Network, mobilenet_v2 for example.")],
    transfer: Annotated[
        str, typer.Option(help="One of scratch, finetune, frozen, image_only.")
    ] = "finetune",
    columns: ColumnsOption = None,
    image_type: ImageTypeOption = None,
    target: TargetOption = MELANOMA.name,
    indeterminate: IndeterminateOption = MELANOMA.indeterminate,
    epochs: Annotated[int, typer.Option(help="At most so many.")] = TrainConfig.epochs,
    batch_size: BatchSizeOption = TrainConfig.batch_size,
    size: SizeOption = BenchmarkConfig.image_size,
    seed: SeedOption = BenchmarkConfig.seed,
    threads: ThreadsOption = None,
    prevalence: PrevalenceOption = None,
    int8: Int8Option = True,
    sign: SignOption = None,
    weights: WeightsOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train one network and export it: a bundle that diagnoses photographs without PyTorch.

    A fifth of the patients is kept for testing, and of the rest a seventh for calibration.
    """
    from melanoscope.data.sources import parse_image_type, parse_spec
    from melanoscope.data.sources.own_csv import parse_columns
    from melanoscope.data.targets import parse_target
    from melanoscope.errors import DataError
    from melanoscope.export.bundle_writer import refuse_nameless, refuse_occupied
    from melanoscope.export.trained_model import is_training_of, train_model
    from melanoscope.inference.bundle import MANIFEST, open_bundle
    from melanoscope.progress import RunProgress

    names, transfers = split_names(backbone, ()), parse_transfers(transfer)
    if len(names) != 1 or len(transfers) != 1:
        raise DataError("one backbone and one transfer", f"{backbone}, {transfer}", "name one")
    config = BenchmarkConfig(
        data=tuple(parse_spec(text) for text in data),
        backbones=names,
        transfer=transfers,
        image_size=size,
        seed=seed,
        weights=weights,
        train=TrainConfig(epochs=epochs, batch_size=batch_size),
        target=parse_target(target, indeterminate),
        columns=parse_columns(columns),
        image_types=parse_image_type(image_type),
        threads=threads,
    )
    settings = _settings(prevalence, int8, sign)
    refuse_nameless(out)
    work = out.with_name(f"{out.name}.training")
    if (out / MANIFEST).is_file() and is_training_of(work, config):
        # Killed between the last step and the cleaning up: nothing is left to do but that.
        bundle = open_bundle(out)
    else:
        refuse_occupied(out)
        with RunProgress() as progress:
            model = train_model(config, work, cache_folder(cache), progress)
        bundle = _write(model, out, settings)
    _print(bundle, out, as_json)
    shutil.rmtree(work, ignore_errors=True)


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of melanoscope benchmark.")],
    out: OutOption,
    best: Annotated[
        bool, typer.Option("--best", help="Export the network with the highest mean AUROC.")
    ] = False,
    backbone: Annotated[str | None, typer.Option(help="Export this network instead.")] = None,
    transfer: Annotated[str | None, typer.Option(help="Its transfer.")] = None,
    fold: Annotated[int, typer.Option(help="Which fold's network; its test part is kept.")] = 0,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="KIND=PATH", help="Where the archives are now, if they were moved."
        ),
    ] = None,
    prevalence: PrevalenceOption = None,
    int8: Int8Option = True,
    sign: SignOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export a network of a finished run: a bundle that diagnoses photographs without PyTorch."""
    from melanoscope.data.sources import parse_spec
    from melanoscope.export.bundle_writer import refuse_occupied
    from melanoscope.export.trained_model import model_from_run
    from melanoscope.progress import RunProgress

    if best == (backbone is not None):
        raise typer.BadParameter("say either --best or --backbone")
    settings = _settings(prevalence, int8, sign)
    refuse_occupied(out)
    with RunProgress() as progress:
        model = model_from_run(
            run,
            cache_folder(cache),
            progress,
            backbone=backbone,
            transfer=transfer,
            fold=fold,
            data=[parse_spec(text) for text in data or ()],
        )
    _print(_write(model, out, settings), out, as_json)


def _settings(prevalence: float | None, int8: bool, sign: Path | None) -> ExportSettings:
    from melanoscope.cli.keys import open_secret_key
    from melanoscope.export.bundle_writer import ExportSettings

    # The passphrase is asked for before hours of training, not after.
    key = None if sign is None else open_secret_key(sign)
    return ExportSettings(prevalence=prevalence, int8=int8, sign=key)


def _write(model: TrainedModel, out: Path, settings: ExportSettings) -> Bundle:
    from melanoscope.export.bundle_writer import write_bundle

    return write_bundle(model, out, settings, lambda step: say(f"exporting: {step}", err=True))


def _print(bundle: Bundle, out: Path, as_json: bool) -> None:
    if as_json:
        print_json({"bundle": str(out), **bundle.manifest.to_dict()})
        return
    for line in _summary(bundle.manifest):
        say(line)
    say(f"bundle: {out}")


def _summary(manifest: BundleManifest) -> list[str]:
    auroc, heldout, graphs = manifest.metrics.get("auroc"), manifest.heldout, manifest.graphs
    tested = (
        f"on {heldout.photographs} held-out photographs, {heldout.positives} "
        f"{manifest.target.plural}"
    )
    if auroc is None:
        found = f"no AUROC {tested}: too few patients, or classes that are separated"
    else:
        found = f"AUROC {auroc.estimate:.3f} ({auroc.low:.3f}-{auroc.high:.3f}) {tested}"
    lines = [manifest.disclaimer, found]
    for name, graph in (("gradient", graphs.gradient), ("int8", graphs.int8)):
        if not graph.file:
            lines.append(f"no {name} graph: {graph.why}")
    return lines
