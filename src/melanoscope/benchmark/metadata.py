"""What run.json says beside the configuration: versions, hardware, data, folds."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.dataset import Dataset
from melanoscope.data.catalog import Catalog
from melanoscope.data.sources import DataSpec
from melanoscope.hardware import available_cores, describe_hardware
from melanoscope.models.backbones import get_backbone
from melanoscope.models.tensor_hash import tensor_hash
from melanoscope.models.weights import find_weights
from melanoscope.runs.cell import skipped_transfers
from melanoscope.runs.files import SCHEMA, is_from
from melanoscope.training.precision import accelerator, describe_accelerator, precision
from melanoscope.version import __version__

_PACKAGES = (
    *("torch", "torchvision", "lightning-fabric", "timm"),
    *("numpy", "pillow", "polars", "scipy"),
)


def describe_weights(config: BenchmarkConfig) -> dict[str, dict[str, str]]:
    """Find the ImageNet weights that a run begins with, each told by its values.

    Args:
        config: Configuration of the run.

    Returns:
        By backbone the "origin" (a file's name) and the "xxh3" of the tensors.

    Raises:
        WeightsError: Weights are missing, broken or of another network.
    """
    if not set(config.transfer) - {"scratch"}:
        return {}
    found = {}
    for backbone in map(get_backbone, config.backbones):
        if backbone.pretrained:
            state, origin = find_weights(backbone, config.weights)
            found[backbone.name] = {"origin": Path(origin).name, "xxh3": tensor_hash(state)}
    return found


def describe_software() -> dict[str, Any]:
    """Return what decides on the bits of a training beside its inputs: versions and precision."""
    return {
        "melanoscope": __version__,
        "torch": version("torch"),
        "accelerator": accelerator(),
        "precision": precision(),
    }


def describe_run(dataset: Dataset, weights: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Collect everything that a reader needs to believe a run or to repeat it.

    Args:
        dataset: Photographs, folds and configuration of the run.
        weights: What `describe_weights` found.

    Returns:
        Content of run.json, plain values.
    """
    config = dataset.config
    data, folds = _describe_data(dataset), _describe_folds(dataset)
    identity = {
        **config.identity(),
        "data_fingerprint": data["fingerprint"],
        "folds_fingerprint": folds["fingerprint"],
    }
    return {
        "schema": SCHEMA,
        "melanoscope": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "configuration": config.to_dict(),
        "identity": identity,
        "versions": {"python": platform.python_version(), **_versions()},
        "hardware": describe_hardware() | describe_accelerator(),
        "threads": config.threads or available_cores(),
        "weights": weights,
        "data": data,
        "folds": folds,
        "skipped": skipped_transfers(config.backbones, config.transfer),
    }


def _describe_data(dataset: Dataset) -> dict[str, Any]:
    """Say what the archives list, what is there, and what took part."""
    catalog, usable = dataset.catalog, dataset.usable
    paths = dict(catalog.frame.select("image_id", "path").iter_rows())
    frame = usable.frame
    return {
        "fingerprint": usable.fingerprint(dataset.contents),
        "sources": _describe_sources(dataset),
        "rows": len(catalog),
        "found": len(catalog.with_files),
        "absent": len(catalog.ids_without_file),
        "absent_examples": catalog.ids_without_file[:20],
        "unreadable": [
            {"image_id": name, "path": paths[name], "reason": why}
            for name, why in sorted(dataset.unreadable.items())
        ],
        "listed_twice": len(catalog.listed_twice),
        "unlabelled": _describe_unlabelled(catalog),
        "notes": [*catalog.notes, *(note for t in catalog.tables for note in t.notes)],
        "licences": _licences(dataset),
        "photographs": len(usable),
        "positives": int(frame["target"].cast(pl.Int64).sum()),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
    }


def _describe_sources(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {
            "kind": spec.kind,
            "title": spec.archive.title,
            "licence": spec.archive.license,
            "attribution": spec.archive.attribution,
            "rows": table.rows,
            "found": table.found,
            "absent": table.rows - table.found,
        }
        for spec, table in zip(dataset.config.data, dataset.catalog.tables, strict=True)
    ]


def _describe_unlabelled(catalog: Catalog) -> list[dict[str, Any]]:
    """Count the rows that nobody can label, by archive and reason."""
    counts = catalog.unlabelled.group_by("dataset", reason="unlabelled").agg(
        rows=pl.len(), found=pl.col("path").count()
    )
    return counts.sort("dataset", "reason").to_dicts()


def _licences(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Count the photographs that took part by the terms that each archive's rows state."""
    frame = dataset.usable.frame.drop_nulls("license")
    return {
        spec.kind: dict(counts.sort("count", "license", descending=[True, False]).rows())
        for spec in dataset.config.data
        if (counts := frame.filter(_rows_of(spec, frame))["license"].value_counts()).height
    }


def _rows_of(spec: DataSpec, frame: pl.DataFrame) -> pl.Series:
    """Mark the rows of `frame` that belong to what the command line named."""
    return pl.Series([is_from(name, spec.kind) for name in frame["dataset"]], dtype=pl.Boolean)


def _describe_folds(dataset: Dataset) -> dict[str, Any]:
    """Count each fold and fingerprint the division."""
    digest = hashlib.sha256()
    sizes = []
    for folds in dataset.folds:
        frame = dataset.usable.frame.with_columns(fold=pl.Series(folds))
        for row in sorted(frame.select("image_id", "fold").iter_rows()):
            digest.update(repr(row).encode())
        counts = frame.group_by("fold").agg(
            photographs=pl.len(),
            positives=pl.col("target").cast(pl.Int64).sum(),
            groups=pl.col("group_id").n_unique(),
        )
        sizes.append(counts.sort("fold").to_dicts())
    return {"fingerprint": digest.hexdigest(), "seed": dataset.config.seed, "sizes": sizes}


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
