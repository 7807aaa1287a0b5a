"""melanoscope benchmark, report and demo: the comparison of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from melanoscope.benchmark.config import BenchmarkConfig, parse_transfers, split_names
from melanoscope.benchmark.shares import DRAWS, parse_shares
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


def benchmark(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Run folder; an unfinished one goes on.")],
    backbones: Annotated[
        str | None, typer.Option(help="Comma-separated names. Default: the poster's eleven.")
    ] = None,
    transfer: Annotated[
        str, typer.Option(help="Comma-separated arms of scratch, finetune, frozen, image_only.")
    ] = ",".join(BenchmarkConfig.transfer),
    columns: ColumnsOption = None,
    image_type: ImageTypeOption = None,
    target: TargetOption = MELANOMA.name,
    indeterminate: IndeterminateOption = MELANOMA.indeterminate,
    folds: Annotated[int, typer.Option(help="Test folds.")] = BenchmarkConfig.folds,
    repeats: Annotated[int, typer.Option(help="Divisions into folds.")] = BenchmarkConfig.repeats,
    seeds: Annotated[
        int,
        typer.Option(
            help="Trainings of each network on each fold, which differ by chance alone. A finished "
            "run may be given more."
        ),
    ] = BenchmarkConfig.seeds,
    shares: Annotated[
        str | None,
        typer.Option(
            help="Learning curves: also train on these shares of the training patients, as "
            "0.1,0.25,0.5,1, four or more, and say how many more positives +0.01 AUROC takes."
        ),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(
            help="With --shares, draws of the patients at each share, and at least as many --seeds."
        ),
    ] = DRAWS,
    epochs: Annotated[
        int, typer.Option(help="At most so many epochs a network.")
    ] = TrainConfig.epochs,
    batch_size: BatchSizeOption = TrainConfig.batch_size,
    size: SizeOption = BenchmarkConfig.image_size,
    seed: SeedOption = BenchmarkConfig.seed,
    threads: ThreadsOption = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="corrected, or poster: what Kim & Rocheteau (2020) computed, to be set beside it."
        ),
    ] = BenchmarkConfig.protocol,
    near_duplicates: Annotated[
        bool,
        typer.Option(
            "--near-duplicates/--no-near-duplicates",
            help="Keep near-duplicate photographs in one fold.",
        ),
    ] = BenchmarkConfig.near_duplicates,
    weights: WeightsOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and test every network on every fold, and write the report."""
    from melanoscope.benchmark.splits import parse_protocol
    from melanoscope.data.sources import parse_image_type, parse_spec
    from melanoscope.data.sources.own_csv import parse_columns
    from melanoscope.data.targets import parse_target
    from melanoscope.models.backbones import POSTER

    parts = parse_shares(shares, draws)
    config = BenchmarkConfig(
        data=tuple(parse_spec(text) for text in data),
        backbones=split_names(backbones, POSTER),
        transfer=parse_transfers(transfer),
        folds=folds,
        repeats=repeats,
        seeds=max(seeds, draws) if parts else seeds,
        image_size=size,
        seed=seed,
        weights=weights,
        train=TrainConfig(epochs=epochs, batch_size=batch_size),
        protocol=parse_protocol(protocol),
        near_duplicates=near_duplicates,
        target=parse_target(target, indeterminate),
        columns=parse_columns(columns),
        image_types=parse_image_type(image_type),
        threads=threads,
    )
    _run_and_report(config, out, cache, as_json, parts, draws)


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Another run to set beside it, of --protocol poster for example."),
    ] = None,
    external: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `melanoscope evaluate RUN`, to report what it found."),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of positives for predictive values. Default: 0.0176 for melanoma, as in "
            "ISIC 2020; else that of the data."
        ),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Draws of each bootstrap.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run anew: tables, figures and one page."""
    from melanoscope.report.from_run import report_run, result_of

    written = report_run(run, beside or (), external or (), prevalence, replicates)
    if as_json:
        print_json(result_of(written))
    else:
        say(f"report: {written.page}")


def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of archives. Default: simulated lesions.")
    ] = None,
    weights: WeightsOption = None,
    out: Annotated[Path, typer.Option("--out", help="Run folder.")] = Path("runs/demo"),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a small comparison end to end and name its report."""
    from melanoscope.benchmark.demo import demo_config

    config = demo_config(data, weights)
    if not as_json:
        what = "simulated lesions: says nothing about skin" if config.simulated else f"{data}"
        say(f"demo on {what}; networks: {', '.join(config.backbones)}", err=True)
    _run_and_report(config, out, cache, as_json)


def _run_and_report(
    config: BenchmarkConfig,
    out: Path,
    cache: Path | None,
    as_json: bool,
    shares: Sequence[float] = (),
    draws: int = DRAWS,
) -> None:
    from melanoscope.benchmark.run import run_benchmark
    from melanoscope.progress import RunProgress
    from melanoscope.report.from_run import report_run, result_of

    with RunProgress() as progress:
        run_benchmark(config, out, cache_folder(cache), progress, shares, draws)
    written = report_run(out)
    if as_json:
        print_json(result_of(written))
    else:
        say(f"report: {written.page}")
