"""melanoscope predict: a bundle diagnoses photographs, one by one or a table of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melanoscope.cli.options import JsonOption, TrustOption


def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photographs: Annotated[
        list[Path] | None, typer.Argument(metavar="PHOTO...", help="Photographs of lesions.")
    ] = None,
    age: Annotated[str | None, typer.Option(help="Years, 0 to 120.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    site: Annotated[
        str | None,
        typer.Option(
            help="head/neck, torso, upper extremity, lower extremity, palms/soles or oral/genital."
        ),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(help="Share of positive lesions to assume. Default: what the bundle assumes."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Answer what the gate refuses.")] = False,
    explain: Annotated[
        Path | None,
        typer.Option("--explain", help="Folder for overlays as PNG and one page (HTML) of all."),
    ] = None,
    baseline: Annotated[
        str, typer.Option(help="Of Integrated Gradients: black, blurred or 'mean skin'.")
    ] = "mean skin",
    steps: Annotated[int, typer.Option(help="Of Integrated Gradients.")] = 64,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table", help="Table (CSV, TSV, .xlsx) with a column photograph, and age, sex, site."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV of the table's answers.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", help="Folder that the table's names are relative to. Default: the table's."
        ),
    ] = None,
    variant: Annotated[str, typer.Option(help="float32 or int8.")] = "float32",
    trust: TrustOption = None,
    as_json: JsonOption = False,
) -> None:
    """Diagnose photographs with a bundle; PyTorch is not needed.

    A photograph that is refused is an answer, too: exit status 0. Status 1: one could not be read;
    of a table, none.
    """
    if (table is None) == (not photographs):
        raise typer.BadParameter("name either photographs or --table")
    if (table is None) != (out is None):
        raise typer.BadParameter("--table and --out go together")
    from melanoscope.cli.answers import ExplanationOptions, answer_photographs, answer_table
    from melanoscope.inference.predictor import load

    predictor = load(bundle, variant=variant, trust=trust)
    if table is not None and out is not None:
        failed = answer_table(
            predictor,
            table,
            out,
            prevalence=prevalence,
            force=force,
            as_json=as_json,
            folder=folder,
        )
    else:
        failed = answer_photographs(
            predictor,
            photographs or [],
            {"age": age, "sex": sex, "site": site},
            prevalence=prevalence,
            force=force,
            explanation=None if explain is None else ExplanationOptions(explain, baseline, steps),
            as_json=as_json,
        )
    if failed:
        raise typer.Exit(1)
