"""melanoscope data: what the archives hold."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.cli.options import (
    CacheOption,
    ColumnsOption,
    DataOption,
    ImageTypeOption,
    IndeterminateOption,
    JsonOption,
    TargetOption,
    cache_folder,
    read_options,
)
from melanoscope.cli.output import print_json, say
from melanoscope.target import MELANOMA

if TYPE_CHECKING:
    from melanoscope.data.archive import ReadOptions, SourceTable
    from melanoscope.data.catalog import Catalog

data_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What the archives hold.")


@data_app.command("summary")
def data_summary(
    data: DataOption,
    columns: ColumnsOption = None,
    image_type: ImageTypeOption = None,
    target: TargetOption = MELANOMA.name,
    indeterminate: IndeterminateOption = MELANOMA.indeterminate,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count rows, files found, absent and unreadable, and what is known of the photographs."""
    from melanoscope.data.sources.image_files import refuse_without_files
    from melanoscope.data.summary import (
        find_unreadable,
        print_summary,
        refuse_unusable,
        summarize,
    )
    from melanoscope.progress import RunProgress

    options = read_options(cache, columns, image_type)
    tables, catalog = _read(data, options, target, indeterminate)
    with RunProgress() as progress:
        unreadable = find_unreadable(catalog, progress.decoding)
    summary = summarize(catalog, unreadable)
    if as_json:
        print_json(summary)
    else:
        print_summary(summary)
    # What the tables say is worth reading without photographs, and yet nothing can be done with it.
    refuse_without_files(tables)
    refuse_unusable(summary)


@data_app.command("kinds")
def data_kinds(as_json: JsonOption = False) -> None:
    """List the kinds of archives that --data reads: files, columns, licence."""
    from melanoscope.data.sources import ARCHIVES

    kinds = [
        {
            "kind": archive.kind,
            "title": archive.title,
            "files": archive.layout,
            "columns": list(archive.columns),
            "never_read": list(archive.leaks),
            "licence": archive.license,
            "attribution": archive.attribution,
        }
        for archive in ARCHIVES.values()
    ]
    if as_json:
        print_json({"kinds": kinds})
        return
    for kind in kinds:
        say(f"{kind['kind']}: {kind['title']}")
        facts = {
            "files": kind["files"],
            "columns": ", ".join(kind["columns"]),
            "never an input": ", ".join(kind["never_read"]),
            "licence": kind["licence"],
            "cite": kind["attribution"],
        }
        for name, text in facts.items():
            if text:
                for line in _indented(f"{name}: {text}"):
                    say(line)


def _indented(text: str) -> list[str]:
    # Names of files and columns hold hyphens, and must stay whole to be copied.
    return wrap(text, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


@data_app.command("audit")
def data_audit(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the page and the JSON.")] = Path(
        "audit"
    ),
    columns: ColumnsOption = None,
    image_type: ImageTypeOption = None,
    target: TargetOption = MELANOMA.name,
    indeterminate: IndeterminateOption = MELANOMA.indeterminate,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for copies, leaks, shortcuts and broken files before anything is trained."""
    from melanoscope.audit.audit import run_audit
    from melanoscope.data.sources.image_files import refuse_without_files
    from melanoscope.progress import RunProgress
    from melanoscope.report.audit_page import audit_document, write_audit

    options = read_options(cache, columns, image_type)
    tables, catalog = _read(data, options, target, indeterminate)
    refuse_without_files(tables)
    with RunProgress() as progress:
        found = run_audit(catalog, cache_folder(cache), progress.decoding)
    page = write_audit(found, out)
    if as_json:
        print_json(audit_document(found))
    else:
        say(f"audit: {page}")


def _read(
    data: list[str], options: ReadOptions, target: str, indeterminate: str
) -> tuple[list[SourceTable], Catalog]:
    from melanoscope.data.catalog import build_catalog
    from melanoscope.data.sources import parse_spec, read_sources
    from melanoscope.data.targets import parse_target

    asked = parse_target(target, indeterminate)
    tables = read_sources([parse_spec(text) for text in data], options)
    return tables, build_catalog(tables, asked)
