"""Reading one file of a run folder, with every reason why it cannot be used said in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from melanoscope.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object."""
    if not file.is_file():
        raise RunError(f"a file {file.name}", f"none at '{file}'", "check the run folder's path")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError("JSON", f"{error} in '{file}'", "run the benchmark again") from error
    if not isinstance(content, dict):
        raise RunError("a JSON object", f"{type(content).__name__} in '{file}'", "run again")
    return content


def require(content: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    """Refuse content that lacks a key."""
    missing = [key for key in keys if key not in content]
    if missing:
        raise RunError(
            f"keys {', '.join(keys)} in {where}",
            f"no {', '.join(missing)}",
            "run the benchmark again with this version",
        )


def read_table(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """Read Parquet that has these columns."""
    if not file.is_file():
        raise RunError(
            f"a file {file.name}", f"none at '{file}'", "let the benchmark finish a cell first"
        )
    try:
        table = pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RunError("a Parquet file", f"'{file}' ({error})", "run again") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise RunError(
            f"columns {', '.join(columns)} in {file.name}", f"no {', '.join(missing)}", "run again"
        )
    return table
