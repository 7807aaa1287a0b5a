"""What run.json says beside the configuration: versions, hardware, data, folds."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope import __version__
from melanoscope.benchmark.config import BenchmarkConfig, skipped_transfers
from melanoscope.data.catalog import Catalog
from melanoscope.hardware import describe_hardware
from melanoscope.runs.run_folder import SCHEMA
from melanoscope.training.precision import describe_accelerator

_PACKAGES = (
    *("torch", "torchvision", "lightning-fabric", "timm"),
    *("numpy", "pillow", "polars", "scipy"),
)


def describe_run(
    plan: BenchmarkConfig,
    catalog: Catalog,
    usable: Catalog,
    unreadable: dict[str, str],
    folds: Sequence[NDArray[np.int64]],
) -> dict[str, Any]:
    """Collect everything that a reader needs to believe a run or to repeat it."""
    data = describe_data(plan, catalog, usable, unreadable)
    divided = describe_folds(usable, plan, folds)
    identity = {
        **plan.identity(),
        "data_fingerprint": data["fingerprint"],
        "folds_fingerprint": divided["fingerprint"],
    }
    return {
        "schema": SCHEMA,
        "melanoscope": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "configuration": plan.configuration(),
        "identity": identity,
        "versions": {"python": platform.python_version(), **_versions()},
        "hardware": describe_hardware() | describe_accelerator(),
        "data": data,
        "folds": divided,
        "skipped": skipped_transfers(plan.backbones, plan.transfer),
    }


def describe_data(
    plan: BenchmarkConfig, catalog: Catalog, usable: Catalog, unreadable: dict[str, str]
) -> dict[str, Any]:
    """Say what the archives list, what is there, and what took part."""
    paths = dict(catalog.with_files.frame.select("image_id", "path").iter_rows())
    per_archive = {
        name: (rows, found)
        for name, rows, found in catalog.frame.group_by("dataset")
        .agg(rows=pl.len(), found=pl.col("path").count())
        .iter_rows()
    }
    sources = []
    for spec in plan.data:
        archive = spec.archive
        names = [n for n in per_archive if n in (spec.kind, spec.kind.partition("-melanoma")[0])]
        names += [n for n in per_archive if spec.kind == "table" and n.startswith("table:")]
        rows = sum(per_archive[n][0] for n in names)
        found = sum(per_archive[n][1] for n in names)
        sources.append(
            {
                "kind": spec.kind,
                "title": archive.title,
                "licence": archive.license,
                "attribution": archive.attribution,
                "rows": rows,
                "found": found,
                "absent": rows - found,
            }
        )
    frame = usable.frame
    return {
        "fingerprint": usable.fingerprint(),
        "sources": sources,
        "rows": len(catalog),
        "found": len(catalog.with_files),
        "absent": len(catalog.ids_without_file),
        "absent_examples": catalog.ids_without_file[:20],
        "unreadable": [
            {"image_id": name, "path": paths[name], "reason": why}
            for name, why in sorted(unreadable.items())
        ],
        "listed_twice": len(catalog.listed_twice),
        "photographs": len(usable),
        "melanomas": int(frame["target"].cast(pl.Int64).sum()),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
    }


def describe_folds(
    usable: Catalog, plan: BenchmarkConfig, folds: Sequence[NDArray[np.int64]]
) -> dict[str, Any]:
    """Count each fold and fingerprint the division."""
    digest = hashlib.sha256()
    sizes = []
    for assigned in folds:
        frame = usable.frame.with_columns(fold=pl.Series(assigned))
        for row in sorted(frame.select("image_id", "fold").iter_rows()):
            digest.update(repr(row).encode())
        table = frame.group_by("fold").agg(
            photographs=pl.len(),
            melanomas=pl.col("target").cast(pl.Int64).sum(),
            groups=pl.col("group_id").n_unique(),
        )
        sizes.append(table.sort("fold").to_dicts())
    return {"fingerprint": digest.hexdigest(), "seed": plan.seed, "sizes": sizes}


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
