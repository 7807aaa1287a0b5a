"""All commands under one name, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from melanoscope.cli import (
    bundles,
    compare,
    comparison,
    evaluate,
    keys,
    power,
    predict,
    serve,
)
from melanoscope.cli.data import data_app
from melanoscope.cli.output import say, say_aside
from melanoscope.cli.signals import Stopped, end, stop_on_signals
from melanoscope.errors import MelanoscopeError
from melanoscope.machine_faults import machine_fault

app = typer.Typer(
    name="melanoscope",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Which network recognises melanoma or malignancy, does transfer learning help, and "
    "does it hold. Research software, not a medical device.",
)
app.add_typer(data_app, name="data")
for command in (
    comparison.demo,
    comparison.benchmark,
    comparison.report,
    compare.compare,
    evaluate.evaluate,
    power.power,
    bundles.train,
    bundles.export,
    predict.predict,
    serve.serve,
    keys.keygen,
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
    from melanoscope.version import __version__

    say(__version__)


def main() -> None:
    """Run a command; an error that a person can mend becomes one line and exit status 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names of files need not be UTF-8
            stream.reconfigure(errors="backslashreplace")
    try:
        with stop_on_signals():
            app()
    except Stopped as stopped:
        end(stopped.number)
    except Exception as error:
        line = _explain(error)
        if line is None or os.environ.get("MELANOSCOPE_DEBUG"):
            raise
        say_aside(line)
        sys.exit(1)


def _explain(error: Exception) -> str | None:
    """Say in one line what was expected and found, and how to mend it; None of faults of ours."""
    if isinstance(error, MelanoscopeError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").startswith("melanoscope"):
            return None
        extra = "stats" if sys.argv[1:2] in (["compare"], ["evaluate"], ["power"]) else "train"
        install = f"pip install 'melanoscope[{extra}]'"
        return str(MelanoscopeError(f"the package {error.name}", "none", install))
    if fault := machine_fault(error):
        return str(fault)
    if isinstance(error, OSError):
        where = f" at '{error.filename}'" if error.filename else ""
        found = f"{error.strerror or error}{where}"
        return str(
            MelanoscopeError(
                "files that can be read and written", found, "check permissions and room"
            )
        )
    return None
