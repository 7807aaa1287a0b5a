"""The commands. Each imports what it needs when it is entered, so that --help is quick.

Exit status 0: done. 1: could not do it, one line on stderr says why. 2: wrong usage.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from melanoscope.errors import MelanoscopeError

app = typer.Typer(
    name="melanoscope",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Which network recognises melanoma, does transfer learning help, and does it hold. "
    "Research software, not a medical device.",
)
data_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What the archives hold.")
app.add_typer(data_app, name="data")

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


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if debug:
        os.environ["MELANOSCOPE_DEBUG"] = "1"


@app.command()
def version() -> None:
    """Print the version."""
    from melanoscope import __version__

    typer.echo(__version__)


@data_app.command("summary")
def data_summary(data: DataOption, cache: CacheOption = None, as_json: JsonOption = False) -> None:
    """Count rows, files found, absent and unreadable, and what is known of the photographs."""
    from melanoscope.data.catalog import build_catalog
    from melanoscope.data.sources import parse_spec, read_sources
    from melanoscope.data.summary import find_unreadable, summarise
    from melanoscope.progress import RunProgress

    catalog = build_catalog(read_sources([parse_spec(text) for text in data], _cache(cache)))
    with RunProgress() as progress:
        unreadable = find_unreadable(catalog, progress.decoding)
    summary = summarise(catalog, unreadable)
    if as_json:
        _print_json(summary)
    else:
        from melanoscope.data.summary_text import print_summary

        print_summary(summary)


@data_app.command("audit")
def data_audit(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page and the JSON.")] = Path(
        "audit"
    ),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for copies, leaks, shortcuts and broken files before anything is trained."""
    from melanoscope.data.audit.audit import audit
    from melanoscope.data.catalog import build_catalog
    from melanoscope.data.sources import parse_spec, read_sources
    from melanoscope.progress import RunProgress
    from melanoscope.report.audit_page import as_json as document
    from melanoscope.report.audit_page import write_audit

    catalog = build_catalog(read_sources([parse_spec(text) for text in data], _cache(cache)))
    with RunProgress() as progress:
        found = audit(catalog, _cache(cache), progress.decoding)
    page = write_audit(found, out)
    if as_json:
        _print_json(document(found))
    else:
        typer.echo(f"audit: {page}")


@app.command()
def benchmark(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Run folder; an unfinished one goes on.")],
    backbones: Annotated[
        str | None, typer.Option(help="Comma-separated names. Default: the poster's eleven.")
    ] = None,
    transfer: Annotated[
        str, typer.Option(help="Comma-separated arms of scratch, finetune, frozen, image_only.")
    ] = "scratch,finetune",
    folds: Annotated[int, typer.Option(help="Test folds.")] = 5,
    repeats: Annotated[int, typer.Option(help="Divisions into folds.")] = 1,
    epochs: Annotated[int, typer.Option(help="At most so many epochs a network.")] = 15,
    batch_size: Annotated[int, typer.Option(help="Photographs a step.")] = 64,
    size: Annotated[int, typer.Option(help="Side of the photographs in pixels.")] = 224,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    protocol: Annotated[
        str,
        typer.Option(
            help="corrected, or poster: what Kim & Rocheteau (2020) computed, to be set beside it."
        ),
    ] = "corrected",
    near_duplicates: Annotated[
        bool,
        typer.Option(
            "--near-duplicates/--no-near-duplicates",
            help="Keep near-duplicate photographs in one fold.",
        ),
    ] = True,
    weights: WeightsOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and test every network on every fold, and write the report."""
    from melanoscope.benchmark.plan import Plan, arms_of, split_names
    from melanoscope.benchmark.protocol import protocol_of
    from melanoscope.data.sources import parse_spec
    from melanoscope.models.backbones import POSTER
    from melanoscope.training.recipe import Recipe

    plan = Plan(
        data=tuple(parse_spec(text) for text in data),
        backbones=split_names(backbones, POSTER),
        transfer=arms_of(transfer),
        folds=folds,
        repeats=repeats,
        size=size,
        seed=seed,
        weights=weights,
        recipe=Recipe(epochs=epochs, batch_size=batch_size),
        protocol=protocol_of(protocol),
        near_duplicates=near_duplicates,
    )
    _run_and_report(plan, out, cache, as_json)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Another run to set beside it, of --protocol poster for example."),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of melanomas for predictive values. Default: 0.0176, ISIC 2020's."
        ),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Draws of each bootstrap.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run anew: tables, figures and one page."""
    from melanoscope.report.from_run import report_run, result_of

    given = {} if prevalence is None else {"prevalence": prevalence}
    page = report_run(run, beside or (), replicates=replicates, **given)
    if as_json:
        _print_json(result_of(run))
    else:
        typer.echo(f"report: {page}")


@app.command()
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
    from melanoscope.benchmark.demo import demo_plan

    plan = demo_plan(data, weights)
    if not as_json:
        what = "simulated lesions: says nothing about skin" if plan.simulated else f"{data}"
        typer.echo(f"demo on {what}; networks: {', '.join(plan.backbones)}", err=True)
    _run_and_report(plan, out, cache, as_json)


def _run_and_report(plan: Any, out: Path, cache: Path | None, as_json: bool) -> None:
    from melanoscope.benchmark.run import run
    from melanoscope.progress import RunProgress
    from melanoscope.report.from_run import report_run, result_of

    with RunProgress() as progress:
        run(plan, out, _cache(cache), progress)
    page = report_run(out)
    if as_json:
        _print_json(result_of(out))
    else:
        typer.echo(f"report: {page}")


def _cache(given: Path | None) -> Path:
    if given is not None:
        return given
    named = os.environ.get("MELANOSCOPE_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "melanoscope"


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def main() -> None:
    """Run a command; a `MelanoscopeError` becomes one line and exit status 1."""
    try:
        app()
    except MelanoscopeError as error:
        if os.environ.get("MELANOSCOPE_DEBUG"):
            raise
        typer.echo(f"melanoscope: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if os.environ.get("MELANOSCOPE_DEBUG"):
            raise
        where = f" at '{error.filename}'" if error.filename else ""
        typer.echo(
            f"melanoscope: expected files that can be read and written; found "
            f"{error.strerror or error}{where}; check permissions and room",
            err=True,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("melanoscope: stopped; the same command goes on from here", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if os.environ.get("MELANOSCOPE_DEBUG") or (error.name or "").startswith("melanoscope"):
            raise
        typer.echo(
            f"melanoscope: expected the package {error.name}; found none; "
            "pip install 'melanoscope[train]'",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
