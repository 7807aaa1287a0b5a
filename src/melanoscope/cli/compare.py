"""melanoscope compare: models by their predictions, whichever tool made them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melanoscope.cli.options import JsonOption
from melanoscope.cli.output import print_json, say


def compare(
    predictions: Annotated[
        list[Path],
        typer.Argument(help="Tables of predictions (CSV or Parquet), one for each model."),
    ],
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE|KIND=PATH",
            help="Table with the labels, and patients, lesions, age, sex, site, center if known; "
            "or an archive, as for --data. Default: the labels of the files.",
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated classes that count as positive, melanoma for example. Default: "
            "all classes are told apart."
        ),
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(help="Table that names numbered classes: name,number.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Names of columns that are not recognised: image_id=NAME,label=NAME."),
    ] = None,
    subgroups: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated further columns of the truth to compare subgroups by; sex, age, "
            "site and center are, where they are known."
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Probability from which a photograph is called positive.")
    ] = 0.5,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of positives for predictive values. Default: that of the photographs."
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Difference that would not matter: equivalence, non-inferiority.")
    ] = 0.02,
    replicates: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 2000,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page and the JSON.")] = Path(
        "comparison"
    ),
    as_json: JsonOption = False,
) -> None:
    """Compare models by their predictions of the same photographs, whichever tool made them."""
    from melanoscope.comparison.compare import compare_files
    from melanoscope.comparison.settings import ComparisonSettings
    from melanoscope.report.comparison_page import comparison_document, write_comparison

    results = compare_files(
        predictions,
        truth=truth,
        positive=_names(positive),
        classes=classes,
        columns=columns,
        subgroups=_names(subgroups),
        settings=ComparisonSettings(
            margin=margin, threshold=threshold, prevalence=prevalence, replicates=replicates
        ),
    )
    page = write_comparison(results, out)
    if as_json:
        print_json(comparison_document(results))
    else:
        say(f"comparison: {page}")


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
