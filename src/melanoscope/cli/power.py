"""melanoscope power: how many patients it takes to tell two models apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.benchmark.config import split_names
from melanoscope.cli.options import JsonOption, SeedOption
from melanoscope.cli.output import print_json
from melanoscope.errors import StatisticsError

if TYPE_CHECKING:
    from melanoscope.stats.binormal_scores import StudyDesign


def power(
    run: Annotated[
        Path | None,
        typer.Option(help="Run folder: patients vary as in it. Default: as stated below."),
    ] = None,
    networks: Annotated[
        str | None,
        typer.Option(
            help="With --run, two networks, as resnet18-scratch,resnet18-finetune. Default: the "
            "best beside each of the others."
        ),
    ] = None,
    auroc: Annotated[float | None, typer.Option(help="AUROC of the worse model.")] = None,
    difference: Annotated[
        float, typer.Option(help="By how much the better one's AUROC is larger.")
    ] = 0.02,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of positives among the photographs.")
    ] = None,
    correlation: Annotated[
        float,
        typer.Option(help="Of the two models' scores of one photograph, within a class."),
    ] = 0.5,
    photographs: Annotated[
        int, typer.Option("--photographs-per-patient", help="Photographs of each patient.")
    ] = 1,
    intraclass: Annotated[
        float | None,
        typer.Option(
            help="Correlation of a model's scores of two photographs of a patient, within a class; "
            "needed with several photographs."
        ),
    ] = None,
    same_outcome: Annotated[
        bool,
        typer.Option(
            "--same-outcome",
            help="All photographs of a patient are positive or none is. Default: scattered.",
        ),
    ] = False,
    asked: Annotated[
        float, typer.Option("--power", help="Chance to tell the better model to be better.")
    ] = 0.8,
    alpha: Annotated[float, typer.Option(help="Level of the two-sided test.")] = 0.05,
    most: Annotated[int, typer.Option(help="Most patients to look for, without --run.")] = 5000,
    simulations: Annotated[
        int, typer.Option(help="Simulated studies of each number of patients.")
    ] = 1000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Say how many patients tell two models apart, by a run or by stated values."""
    if run is not None:
        if auroc is not None or prevalence is not None:
            raise StatisticsError(
                "--run, or --auroc and --prevalence", "both", "leave out the one or the other"
            )
        _from_run(run, networks, difference, asked, alpha, as_json=as_json)
        return
    from melanoscope.progress import status_line
    from melanoscope.report.power_answer import print_stated, stated_document
    from melanoscope.stats.power_auroc import PowerPoint, patients_needed

    design = _design(
        auroc, difference, prevalence, correlation, photographs, intraclass, same_outcome
    )
    with status_line("simulating studies") as show:

        def looked_at(point: PowerPoint) -> None:
            show(f"simulating studies: {point.patients:,} patients, {point.power.estimate:.2f}")

        found = patients_needed(
            design,
            power=asked,
            alpha=alpha,
            most=most,
            simulations=simulations,
            seed=seed,
            looked_at=looked_at,
        )
    if as_json:
        print_json(stated_document(found))
    else:
        print_stated(found)


def _from_run(
    run: Path,
    networks: str | None,
    difference: float,
    asked: float,
    alpha: float,
    *,
    as_json: bool,
) -> None:
    from melanoscope.report.power_answer import print_run, run_document
    from melanoscope.runs.pair_power import pair_powers
    from melanoscope.runs.reader import read_run
    from melanoscope.runs.results import RunResults

    pairs = pair_powers(
        RunResults(run=read_run(run)),
        split_names(networks, ()),
        difference=difference,
        power=asked,
        alpha=alpha,
    )
    if as_json:
        print_json(run_document(run, pairs))
    else:
        print_run(run, pairs)


def _design(
    auroc: float | None,
    difference: float,
    prevalence: float | None,
    correlation: float,
    photographs: int,
    intraclass: float | None,
    same_outcome: bool,
) -> StudyDesign:
    from melanoscope.stats.binormal_scores import StudyDesign

    if auroc is None or prevalence is None:
        raise StatisticsError(
            "--run, or --auroc and --prevalence",
            "neither" if auroc is None and prevalence is None else "one of the two",
            "state both, as --auroc 0.8 --prevalence 0.1",
        )
    if photographs > 1 and intraclass is None:
        raise StatisticsError(
            f"--intraclass with {photographs} photographs of a patient",
            "none",
            "state how alike a patient's photographs are, as --intraclass 0.5",
        )
    return StudyDesign(
        auroc=(auroc, auroc + difference),
        correlation=correlation,
        prevalence=prevalence,
        photographs=photographs,
        intraclass=intraclass or 0.0,
        outcome_of_patient=same_outcome,
    )
