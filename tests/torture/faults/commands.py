"""The commands that write, where each writes, and what of it must be the same every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

DATA = "simulated=60"
SMALL = ("--size", "32", "--epochs", "1")


@dataclass(frozen=True)
class Prepared:
    """What commands work on: a finished run, a bundle, a table of photographs, a cache."""

    run: Path
    bundle: Path
    table: Path
    cache: Path


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
        words: Arguments from what is prepared, the output `out` and the `cache`.
        result: What of the output must be the same after every fault.
        disk: Which of the two lies on the disk that fails, "out" or "cache".
        page: A page below `out` that an earlier call has written, and that must outlive a fault.
        prepare: Puts into `out` what must be there before.
    """

    words: Callable[[Prepared, Path, Path], tuple[object, ...]]
    result: Callable[[Path], Any]
    disk: str = "out"
    page: str | None = None
    prepare: Callable[[Prepared, Path], None] = lambda _, __: None


def _benchmark(_: Prepared, out: Path, cache: Path) -> tuple[object, ...]:
    words = ("--backbones", "standard_cnn", "--transfer", "scratch", "--folds", "2", *SMALL)
    return ("benchmark", "--data", DATA, "--out", out, "--cache", cache, *words)


def _train(_: Prepared, out: Path, cache: Path) -> tuple[object, ...]:
    words = ("--backbone", "squeezenet1_1", "--transfer", "scratch", "--no-int8", *SMALL)
    return ("train", "--data", "simulated=120", "--out", out, "--cache", cache, *words)


def _export(prepared: Prepared, out: Path, cache: Path) -> tuple[object, ...]:
    return ("export", prepared.run, "--best", "--out", out, "--cache", cache)


def _table(prepared: Prepared, out: Path, _: Path) -> tuple[object, ...]:
    return ("predict", prepared.bundle, "--table", prepared.table, "--out", out)


def _explain(prepared: Prepared, out: Path, _: Path) -> tuple[object, ...]:
    photograph = sorted(prepared.cache.glob("simulated-*/*.jpg"))[0]
    return ("predict", prepared.bundle, photograph, "--explain", out, "--steps", "8", "--force")


def _audit(_: Prepared, out: Path, cache: Path) -> tuple[object, ...]:
    return ("data", "audit", "--data", DATA, "--out", out, "--cache", cache)


def _report(_: Prepared, out: Path, __: Path) -> tuple[object, ...]:
    return ("report", out, "--replicates", "100")


def _summary(_: Prepared, __: Path, cache: Path) -> tuple[object, ...]:
    return ("data", "summary", "--data", DATA, "--cache", cache)


def predictions(run: Path) -> Any:
    """Return the predictions of a run, row by row."""
    tables = (pl.read_parquet(run / name) for name in ("predictions.parquet", "validation.parquet"))
    return [table.rows() for table in tables], (run / "report" / "index.html").stat().st_size > 9999


def graphs(bundle: Path) -> Mapping[str, str]:
    """Return the hashes of a bundle's graphs and weights; int8's hangs on nothing else either."""
    files = json.loads((bundle / "bundle.json").read_text())["files"]
    return {name: entry["sha256"] for name, entry in files.items() if name != "MODEL_CARD.md"}


def names_and_sizes(folder: Path) -> Any:
    """Return names of all files below a folder and their sizes."""
    return {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*.*")}


def document(name: str) -> Callable[[Path], Any]:
    """Return a reader of a JSON document of an output."""
    return lambda out: json.loads((out / name).read_text())


def _page_of_before(prepared: Prepared, out: Path) -> None:
    out.mkdir()
    (out / "index.html").write_text("<p>of before</p>" * 100)
    (out / "audit.json").write_text("{}")


def _run_of_before(prepared: Prepared, out: Path) -> None:
    import shutil

    # Without the page, which would be larger than what is put in its place.
    shutil.copytree(prepared.run, out, ignore=shutil.ignore_patterns("index.html"))
    (out / "report" / "index.html").write_text("<p>of before</p>" * 100)


COMMANDS: dict[str, Command] = {
    "benchmark": Command(_benchmark, predictions),
    "benchmark, cache": Command(_benchmark, predictions, "cache"),
    "train": Command(_train, graphs),
    "train, cache": Command(_train, graphs, "cache"),
    "export": Command(_export, graphs),
    "predict --table": Command(_table, lambda out: out.read_bytes()),
    "predict --explain": Command(_explain, names_and_sizes),
    "data audit": Command(
        _audit, document("audit.json"), page="index.html", prepare=_page_of_before
    ),
    "data audit, cache": Command(_audit, document("audit.json"), "cache"),
    "data summary, cache": Command(_summary, lambda _: None, "cache"),
    "report": Command(
        _report,
        document("report/evidence.json"),
        page="report/index.html",
        prepare=_run_of_before,
    ),
}
