"""Run folders that hold what cannot be computed: one network that tells all apart, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

NETWORK = ("resnet50", "finetune")
_MINE = (pl.col("backbone") == NETWORK[0]) & (pl.col("transfer") == NETWORK[1])
_FILES = ("predictions.parquet", "validation.parquet")


def _change(
    folder: Path, where: pl.Expr, files: tuple[str, ...] = _FILES, **columns: object
) -> None:
    for name in files:
        table = pl.read_parquet(folder / name)
        changed = {
            column: pl.when(where).then(value).otherwise(pl.col(column))  # type: ignore[arg-type]
            for column, value in columns.items()
        }
        table.with_columns(**changed).write_parquet(folder / name)


def _perfect(folder: Path) -> None:
    _change(folder, _MINE, probability=pl.col("target") * 0.8 + 0.1)


def _certain(folder: Path) -> None:
    _change(folder, _MINE, probability=pl.col("target").cast(pl.Float64))


def _constant(folder: Path) -> None:
    _change(folder, _MINE, probability=pl.lit(0.5))


def _nothing(folder: Path) -> None:
    _change(folder, _MINE, probability=pl.lit(0.0))


def _diverged(folder: Path) -> None:
    _change(folder, _MINE & (pl.col("fold") == 1), probability=pl.lit(float("nan")))


def _no_threshold(folder: Path) -> None:
    _change(folder, _MINE, threshold=pl.lit(float("inf")))


def _equal_thresholds(folder: Path) -> None:
    _change(folder, pl.lit(True), threshold=pl.lit(1.0))


def _one_class(folder: Path, label: int) -> None:
    """Give the photographs of fold 0 one label, for all networks."""
    catalog = pl.read_parquet(folder / "catalog.parquet")
    mine = catalog.filter(fold_r0=0)["image_id"].implode()
    tables = ("catalog.parquet", *_FILES, "baselines.parquet")
    for name in tables:
        table = pl.read_parquet(folder / name)
        here = pl.col("image_id").is_in(mine)
        target = pl.when(here).then(pl.lit(label)).otherwise(pl.col("target")).cast(pl.Int64)
        table.with_columns(target=target).write_parquet(folder / name)


def _one_fold(folder: Path) -> None:
    """Leave one finished cell of each network."""
    for name in _FILES:
        table = pl.read_parquet(folder / name)
        table.filter(pl.col("fold") == 0).write_parquet(folder / name)
    for cell in (folder / "cells").iterdir():
        if not cell.name.endswith("-f0"):
            shutil.rmtree(cell)


def _one_patient(folder: Path) -> None:
    catalog = pl.read_parquet(folder / "catalog.parquet")
    catalog.with_columns(group_id=pl.lit("one")).write_parquet(folder / "catalog.parquet")


VARIANTS: dict[str, Callable[[Path], None]] = {
    "perfect separation": _perfect,
    "probabilities of 0 and 1": _certain,
    "constant scores": _constant,
    "nothing but 0": _nothing,
    "NaN probabilities": _diverged,
    "infinite thresholds": _no_threshold,
    "equal thresholds": _equal_thresholds,
    "a fold without positives": lambda folder: _one_class(folder, 0),
    "a fold without negatives": lambda folder: _one_class(folder, 1),
    "one finished fold": _one_fold,
    "one patient": _one_patient,
}
