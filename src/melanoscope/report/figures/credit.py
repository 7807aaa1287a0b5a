"""Whose photographs are shown, and under which terms."""

from __future__ import annotations

import polars as pl

from melanoscope.runs.reader import Run


def credit_of(run: Run, rows: pl.DataFrame) -> str:
    """Name archives and licences of the catalog's `rows`, in a line without a full stop."""
    datasets = set(rows["dataset"])
    sources = [
        f"{source['title']} ({source['attribution']}; {source['licence']})"
        for source in run.record["data"]["sources"]
        if any(source["kind"].startswith(name.partition(":")[0]) for name in datasets)
    ]
    return "Photographs: " + "; ".join(dict.fromkeys(sources))
