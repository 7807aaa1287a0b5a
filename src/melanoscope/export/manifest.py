"""The manifest of a bundle: where a network comes from, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from melanoscope import __version__, patient
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.manifest import SCHEMA, BundleManifest, Graphs, Latency
from melanoscope.inference.manifest_records import (
    Archive,
    Calibration,
    Configuration,
    Data,
    Gate,
    Hardware,
    Heldout,
    License,
    Network,
    Preprocessing,
    StaticFeatures,
    Subgroup,
    Task,
    Threshold,
    Training,
)
from melanoscope.inference.result import DISCLAIMER
from melanoscope.models.backbones import get_backbone

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.stats.intervals.interval import Interval

DERMOSCOPY = frozenset({"isic2020", "isic2019", "isic2019-melanoma", "ham10000"})
"""Archives of nothing but dermoscopy."""

_SIMULATED = "Trained on simulated lesions: says nothing about skin."
_TASK = Task(
    question="Is this lesion a melanoma?", labels=("other lesion", "melanoma"), positive="melanoma"
)
_STATIC = StaticFeatures(
    features=tuple(patient.FEATURE_NAMES),
    sexes=tuple(patient.SEXES),
    sites=tuple(patient.SITES),
    max_age=patient.MAX_AGE,
)


def describe_bundle(
    model: TrainedModel,
    *,
    calibration: Calibration,
    prevalence: float,
    thresholds: tuple[Threshold, ...],
    metrics: Mapping[str, Interval],
    subgroups: tuple[Subgroup, ...],
    heldout: Heldout,
    gate: Gate,
    graphs: Graphs,
    variants: Mapping[str, Latency],
) -> BundleManifest:
    """Return a bundle's manifest, without its files and its seal.

    Args:
        model: The trained model.
        calibration: Temperature scaling.
        prevalence: Share of melanomas that answers assume where none is stated, 0..1.
        thresholds: The thresholds, the main one first.
        metrics: Metric -> its value on the test photographs.
        subgroups: Test photographs by variable.
        heldout: The test photographs.
        gate: Limits of the quality gate.
        graphs: The ONNX graphs.
        variants: Variant -> size and speed.

    Returns:
        The manifest; `BundleManifest.sealed` adds files and seal.
    """
    simulated = model.config.simulated
    with_static = model.network.static_branch is not None
    archives = msgspec.convert(model.run_metadata["data"]["sources"], tuple[Archive, ...])
    return BundleManifest(
        schema=SCHEMA,
        melanoscope=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=f"{get_backbone(model.cell.backbone).label}, {model.cell.transfer}",
        task=_TASK,
        network=_network(model),
        preprocessing=_preprocessing(model.config.size),
        static=_STATIC if with_static else None,
        data=_data(model, archives),
        training=_training(model),
        license=license_of(archives),
        disclaimer=f"{_SIMULATED} {DISCLAIMER}" if simulated else DISCLAIMER,
        calibration=calibration,
        prevalence=prevalence,
        thresholds=thresholds,
        metrics=dict(metrics),
        subgroups=subgroups,
        heldout=heldout,
        gate=gate,
        graphs=graphs,
        variants=dict(variants),
        files={},
        seal="",
    )


def license_of(archives: Sequence[Archive]) -> License:
    """Return the terms that a network inherits from the archives it learnt from."""
    terms = sorted({archive.license for archive in archives})
    restricted = any("NC" in one for one in terms)
    return License(
        terms=tuple(terms),
        non_commercial=restricted,
        notice="The network derives from photographs under "
        + ", ".join(terms)
        + ("; it is not to be used commercially." if restricted else "."),
        attribution=tuple(f"{archive.title}: {archive.attribution}" for archive in archives),
    )


def _network(model: TrainedModel) -> Network:
    backbone = get_backbone(model.cell.backbone)
    return Network(
        backbone=backbone.name,
        label=backbone.label,
        transfer=model.cell.transfer,
        with_static=model.network.static_branch is not None,
        image_size=model.config.size,
        parameters=sum(p.numel() for p in model.network.parameters()),
    )


def _preprocessing(image_size: int) -> Preprocessing:
    return Preprocessing(
        decoder_version=DECODER_VERSION,
        orientation="EXIF applied",
        color="sRGB, 8 bits; alpha over white",
        crop="largest centred square",
        resampling="bicubic, antialiased",
        image_size=image_size,
        normalization="inside the graph",
    )


def _data(model: TrainedModel, archives: tuple[Archive, ...]) -> Data:
    known: dict[str, Any] = model.run_metadata["data"]
    return Data(
        fingerprint=known["fingerprint"],
        photographs=known["photographs"],
        melanomas=known["melanomas"],
        groups=known["groups"],
        sources=archives,
        simulated=model.config.simulated,
        dermoscopy_only={archive.kind for archive in archives} <= DERMOSCOPY,
    )


def _training(model: TrainedModel) -> Training:
    # A bundle travels; folders of the machine that made it are nobody's business.
    configuration = {
        **model.config.configuration(),
        "data": [spec.kind for spec in model.config.data],
    }
    return Training(
        configuration=msgspec.convert(configuration, Configuration),
        recipe=asdict(model.config.recipe),
        cell=model.cell.name,
        epochs_run=model.cell_metadata["epochs_run"],
        best_epoch=model.cell_metadata["best_epoch"],
        seed=model.cell_metadata["seed"],
        seconds=model.cell_metadata["seconds"],
        versions=model.run_metadata["versions"],
        hardware=msgspec.convert(model.run_metadata["hardware"], Hardware),
        selection=model.selection,
        photographs=len(model.split.train),
    )
