"""All commands under one name, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from melanoscope.cli import bundles, comparison, serve
from melanoscope.cli.data import data_app
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
app.add_typer(data_app, name="data")
for command in (
    comparison.demo,
    comparison.benchmark,
    comparison.report,
    bundles.train,
    bundles.export,
    bundles.predict,
    serve.serve,
):
    app.command()(command)


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
        typer.echo(
            "melanoscope: stopped; a benchmark or a table goes on with the same command",
            err=True,
        )
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
