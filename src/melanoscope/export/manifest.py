"""The parts of a bundle's manifest that follow from how its network was trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from melanoscope import patient
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.manifest import SCHEMA
from melanoscope.inference.manifest_records import (
    Archive,
    Configuration,
    Data,
    DiagnosisCount,
    License,
    Network,
    Preprocessing,
    StaticFeatures,
    Training,
)
from melanoscope.inference.result import DISCLAIMER
from melanoscope.models.backbones import get_backbone
from melanoscope.runs.results import PREVALENCE
from melanoscope.target import MELANOMA
from melanoscope.version import __version__

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.runs.record_schema import Unlabelled

_SIMULATED = "Trained on simulated lesions: says nothing about skin."
_STATIC = StaticFeatures(
    features=tuple(patient.FEATURE_NAMES),
    sexes=tuple(patient.SEXES),
    sites=tuple(patient.SITES),
    max_age=patient.MAX_AGE,
)


def describe_origin(model: TrainedModel) -> dict[str, Any]:
    """Return the arguments of `BundleManifest` by name, all but those that are measured."""
    data, backbone = _data(model), get_backbone(model.cell.backbone)
    return {
        "schema": SCHEMA,
        "melanoscope": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": f"{backbone.label}, {model.cell.transfer}",
        "target": model.target,
        "network": Network(
            backbone=backbone.name,
            label=backbone.label,
            transfer=model.cell.transfer,
            with_static=model.network.static_branch is not None,
            image_size=model.config.image_size,
            parameters=sum(p.numel() for p in model.network.parameters()),
        ),
        "preprocessing": Preprocessing(
            decoder_version=DECODER_VERSION,
            orientation="EXIF applied",
            color="sRGB, 8 bits; alpha over white",
            crop="largest centred square",
            resampling="bicubic, antialiased",
            image_size=model.config.image_size,
            normalization="inside the graph",
        ),
        "static": None if model.network.static_branch is None else _STATIC,
        "data": data,
        "training": _training(model),
        "license": license_of(data.sources, model.frame["license"].drop_nulls()),
        "disclaimer": f"{_SIMULATED} {DISCLAIMER}" if data.simulated else DISCLAIMER,
    }


def assumed_prevalence(model: TrainedModel, stated: float | None) -> tuple[float, str]:
    """Return the share that answers assume where none is stated, and what must be said of it."""
    if stated is not None:
        return stated, ""
    if model.target == MELANOMA:
        return PREVALENCE, ""
    share = float(model.arrays.targets[model.split.train].mean())
    return share, "the share among the photographs that the network was trained on, not a clinic's"


def license_of(archives: Sequence[Archive], stated: Iterable[str] = ()) -> License:
    """Return the terms that a network inherits from archives, and those `stated` by their rows."""
    terms = sorted({*(archive.license for archive in archives), *stated})
    restricted = any("NC" in one for one in terms)
    return License(
        terms=tuple(terms),
        non_commercial=restricted,
        notice="The network derives from photographs under "
        + ", ".join(terms)
        + ("; it is not to be used commercially." if restricted else "."),
        attribution=tuple(f"{archive.title}: {archive.attribution}" for archive in archives),
    )


def _data(model: TrainedModel) -> Data:
    known = model.run_metadata.data
    simulated = model.config.simulated
    return Data(
        fingerprint=known.fingerprint,
        photographs=known.photographs,
        groups=known.groups,
        positives=int(model.frame["target"].sum()),
        sources=known.sources,
        diagnoses=_diagnoses(model.frame),
        left_out=_left_out(known.unlabelled),
        simulated=simulated,
        dermoscopy_only=not simulated and set(model.frame["image_type"]) == {"dermoscopic"},
    )


def _diagnoses(frame: pl.DataFrame) -> tuple[DiagnosisCount, ...]:
    """Count the photographs of each diagnosis, those that count as positive first."""
    counts = frame.group_by("diagnosis", positive=pl.col("target") == 1).len("photographs")
    rows = counts.sort("positive", "photographs", "diagnosis", descending=[True, True, False])
    return tuple(DiagnosisCount(**row) for row in rows.iter_rows(named=True))


def _left_out(unlabelled: Sequence[Unlabelled]) -> dict[str, int]:
    """Sum the rows that nobody can label over the archives, by reason."""
    rows: Counter[str] = Counter()
    for part in unlabelled:
        rows[part.reason] += part.rows
    return dict(sorted(rows.items()))


def _training(model: TrainedModel) -> Training:
    # A bundle travels; folders of the machine that made it are nobody's business.
    kinds = [spec.kind for spec in model.config.data]
    configuration = {**model.config.to_dict(), "data": kinds}
    del configuration["target"]  # the manifest says it for itself
    del configuration["threads"]  # what the run used stands in its run.json
    del configuration["seeds"]  # it is about one of the trainings, which the cell's name tells
    cell = model.cell_metadata
    return Training(
        configuration=msgspec.convert(configuration, Configuration),
        recipe=asdict(model.config.train),
        cell=model.cell.name,
        epochs_run=cell.epochs_run,
        best_epoch=cell.best_epoch,
        seed=cell.seeds.training,
        seconds=cell.seconds,
        versions=model.run_metadata.versions,
        hardware=model.run_metadata.hardware,
        selection=model.selection,
        photographs=len(model.split.train),
    )
