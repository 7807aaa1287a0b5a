"""From a trained network to a bundle: graphs, calibration, gate, measurements, card, seal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.atomic import refuse_full_disk
from melanoscope.errors import BundleError
from melanoscope.export.evaluation import (
    Holdout,
    TestResults,
    calibrate,
    choose_thresholds,
    entry,
    evaluate,
    measure_subgroups,
    measure_thresholds,
    quantiles,
)
from melanoscope.export.latency import time_variants
from melanoscope.export.manifest import describe
from melanoscope.export.onnx_gradient import export_gradient
from melanoscope.export.onnx_model import export_model
from melanoscope.export.out_of_distribution import fit_feature_distance
from melanoscope.export.outputs import (
    GraphOutputs,
    pixels_of,
    qualities,
    run_graph,
    sample,
    train_features,
)
from melanoscope.export.quality_limits import describe_gate
from melanoscope.export.quantization import compare_variants, quantize
from melanoscope.inference.bundle import (
    CARD,
    GRADIENT,
    MODEL,
    RECORD,
    SMALL,
    WEIGHTS,
    Bundle,
    file_entry,
    open_bundle,
    seal_of,
)
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.runs.files import write_tensors
from melanoscope.runs.results import PREVALENCE
from melanoscope.stats.bootstrap.group_weights import REPLICATES

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel

Told = Callable[[str], None]
"""Called with what is being done."""

# Features of so many photographs say what training photographs look like; more take only time.
_MOST_FEATURES = 20_000
_MOST_QUANTISED = 200


@dataclass(frozen=True)
class ExportSettings:
    """How a network is sealed.

    Attributes:
        prevalence: Share of melanomas that answers assume where none is stated.
        replicates: Of the bootstrap.
        small: Whether an int8 variant is tried.
    """

    prevalence: float = PREVALENCE
    replicates: int = REPLICATES
    small: bool = True


def write_bundle(
    subject: TrainedModel, out: Path, settings: ExportSettings, told: Told = lambda _: None
) -> Bundle:
    """Write a bundle.

    Args:
        subject: The network and its photographs.
        out: Folder of the bundle, new or empty. It appears when all is in it.
        settings: How.
        told: Told of each step.

    Raises:
        BundleError: `out` holds something.
        StatisticsError: The held-out parts are too small for an honest number.
    """
    refuse_taken(out)
    folder = out.with_name(f".{out.name}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with refuse_full_disk(out.parent):
            folder.mkdir(parents=True)
            record = _fill(subject, folder, settings, told)
            _close(folder, record)
            if out.exists():
                out.rmdir()
            folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return open_bundle(out)


def refuse_taken(out: Path) -> None:
    """Refuse a place where something lies already: no bundle is ever written over.

    Raises:
        BundleError: It is no new or empty folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BundleError(
            f"a new or empty folder at '{out}'", "something else", "name another with --out"
        )


def _fill(
    subject: TrainedModel, folder: Path, settings: ExportSettings, told: Told
) -> dict[str, Any]:
    told("graphs")
    graphs = _export(subject, folder)
    told("held-out photographs")
    parts = subject.split
    graph = OnnxModel(folder / MODEL)
    views = {name: run_graph(graph, subject.arrays, getattr(parts, name)) for name in _HELD}
    calibration = _part(subject, "validation", views["validation"])
    scale = calibrate(calibration)
    logits = choose_thresholds(calibration)
    tested = evaluate(
        _part(subject, "test", views["test"]), scale["temperature"], settings.replicates
    )
    main = next(iter(logits.values()))
    record = {
        **describe(subject),
        "calibration": scale,
        "prevalence": settings.prevalence,
        "thresholds": measure_thresholds(tested, logits, settings.prevalence),
        "metrics": {name: entry(found) for name, found in tested.metrics.items()},
        "subgroups": measure_subgroups(tested, main),
        "heldout": quantiles(tested.part),
    }
    told("gate")
    seen = {"float32": views}
    if settings.small:
        told("int8 variant")
        graphs["int8"], small = _small(subject, folder, tested, main)
        seen |= {} if small is None else {"int8": small}
    else:
        graphs["int8"] = {"why": "not asked for"}
    record["gate"] = describe_gate(
        calibration=qualities(subject, parts.validation),
        test=qualities(subject, parts.test),
        distances={
            name: (found["validation"].distance, found["test"].distance)
            for name, found in seen.items()
        },
    )
    told("speed")
    files = {"float32": folder / MODEL} | ({"int8": folder / SMALL} if "int8" in seen else {})
    record["graphs"] = graphs
    record["variants"] = time_variants(files, subject.plan.image_size)
    return record


_HELD = ("validation", "test")


def _export(subject: TrainedModel, folder: Path) -> dict[str, dict[str, Any]]:
    px = subject.plan.image_size
    rows = sample(subject.split.train, _MOST_FEATURES)
    novelty = fit_feature_distance(train_features(subject.network, subject.arrays, rows))
    export_model(subject.network, px, folder / MODEL, novelty)
    write_tensors(folder / WEIGHTS, subject.network.state_dict())
    graphs: dict[str, dict[str, Any]] = {"model": {"file": MODEL}}
    try:
        export_gradient(subject.network, px, folder / GRADIENT)
        graphs["gradient"] = {"file": GRADIENT}
    except BundleError as error:
        (folder / GRADIENT).unlink(missing_ok=True)
        graphs["gradient"] = {"why": error.found}
    return graphs


def _small(
    subject: TrainedModel, folder: Path, tested: TestResults, threshold: float
) -> tuple[dict[str, Any], dict[str, GraphOutputs] | None]:
    """Make the int8 variant; without views where it loses too much."""
    rows = sample(subject.split.train, _MOST_QUANTISED)
    quantize(folder / MODEL, folder / SMALL, *pixels_of(subject.arrays, rows))
    graph = OnnxModel(folder / SMALL)
    views = {name: run_graph(graph, subject.arrays, getattr(subject.split, name)) for name in _HELD}
    found = compare_variants(tested.part.target, tested.part.logit, views["test"].logit, threshold)
    if found.accepted:
        return {"file": SMALL, **asdict(found)}, views
    (folder / SMALL).unlink()
    return asdict(found), None


def _part(subject: TrainedModel, name: str, views: GraphOutputs) -> Holdout:
    return Holdout(subject.frame[getattr(subject.split, name)], views.logit)


def _close(folder: Path, record: dict[str, Any]) -> None:
    """Write the card and, last, the record that seals all files."""
    from melanoscope.export.model_card import model_card

    (folder / CARD).write_text(model_card(record))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        path.chmod(0o644)  # safetensors writes for the owner alone
    whole = {**record, "files": {path.name: file_entry(path) for path in files}}
    whole["seal"] = seal_of(whole)
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / RECORD).write_text(text + "\n")
