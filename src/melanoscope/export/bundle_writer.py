"""From a trained model to a bundle: graphs, calibration, gate, measurements, card, seal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from melanoscope.atomic import atomic_folder, atomic_path, refuse_bytes_as_name
from melanoscope.data.development import (
    DEVELOPMENT,
    PARTS,
    development_hashes,
    write_development,
)
from melanoscope.errors import BundleError
from melanoscope.export.evaluation import (
    Holdout,
    describe_heldout,
    evaluate,
    evaluate_subgroups,
    fit_calibration,
)
from melanoscope.export.latency import time_variants
from melanoscope.export.manifest import assumed_prevalence, describe_origin
from melanoscope.export.model_card import model_card
from melanoscope.export.onnx_gradient import export_gradient
from melanoscope.export.onnx_model import export_model
from melanoscope.export.out_of_distribution import fit_feature_distance
from melanoscope.export.outputs import (
    GraphOutputs,
    graph_inputs,
    measure_qualities,
    run_graph,
    sample_rows,
    train_features,
)
from melanoscope.export.quality_limits import fit_gate
from melanoscope.export.quantization import compare_variants, quantize
from melanoscope.export.thresholds import choose_thresholds, evaluate_thresholds
from melanoscope.inference.bundle import (
    CARD,
    GRADIENT,
    MANIFEST,
    MODEL,
    SIGNATURE,
    SMALL,
    WEIGHTS,
    Bundle,
    file_entry,
    open_bundle,
)
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.manifest import BundleManifest, Graph, Graphs, Int8Graph
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.runs.files import write_tensors
from melanoscope.signing.signatures import sign
from melanoscope.stats.bootstrap.group_weights import REPLICATES

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel
    from melanoscope.signing.keys import SecretKey

OnStep = Callable[[str], None]

# Features of so many photographs say what training photographs look like; more take only time.
_MAX_FEATURES = 20_000
_MAX_QUANTIZED = 200


@dataclass(frozen=True)
class ExportSettings:
    """How a network is exported.

    Attributes:
        prevalence: Share of positive lesions that answers assume where none is stated, 0..1; None
            for ISIC 2020's if they are melanomas, else for that of the training photographs.
        replicates: Number of bootstrap replicates.
        int8: Whether an int8 variant is tried.
        sign: Key that signs the bundle; None for none.

    Raises:
        DataError: The prevalence is not between 0 and 1.
    """

    prevalence: float | None = None
    replicates: int = REPLICATES
    int8: bool = True
    sign: SecretKey | None = None

    def __post_init__(self) -> None:
        if self.prevalence is not None:
            log_odds(self.prevalence)  # refused before hours of training


def write_bundle(
    model: TrainedModel, out: Path, settings: ExportSettings, on_step: OnStep = lambda _: None
) -> Bundle:
    """Write a bundle.

    Args:
        model: The network and its photographs.
        out: Folder of the bundle, new or empty. It appears when all is in it.
        settings: How the network is exported.
        on_step: Called with the name of each step before it begins.

    Returns:
        The bundle, opened and checked.

    Raises:
        BundleError: `out` holds something.
        LockedError: Another process writes it.
        StatisticsError: The calibration or the test photographs are too few for an honest number.
    """
    refuse_occupied(out)
    with explain_machine_faults(out.parent), atomic_folder(out) as folder:
        _write_manifest(folder, _write_graphs(model, folder, settings, on_step))
        if settings.sign is not None:
            with atomic_path(folder / SIGNATURE) as partial:
                text = sign((folder / MANIFEST).read_bytes(), settings.sign, MANIFEST)
                partial.write_text(text, encoding="utf-8")
        open_bundle(folder)  # before it has the name that others look for
    return open_bundle(out)


def refuse_occupied(out: Path) -> None:
    """Raise a BundleError unless `out` is new or empty: no bundle is ever written over."""
    refuse_nameless(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BundleError(
            f"a new or empty folder at '{out}'", "something else", "name another with --out"
        )


def refuse_nameless(out: Path) -> None:
    """Raise an error unless a folder can be written beside `out` and renamed."""
    if out.name in ("", ".."):
        raise BundleError("a folder's name", f"'{out}'", "name another with --out")
    refuse_bytes_as_name(out, "--out")


def _write_graphs(
    model: TrainedModel, folder: Path, settings: ExportSettings, on_step: OnStep
) -> BundleManifest:
    """Write weights and graphs, and measure all that the manifest says of them."""
    on_step("graphs")
    gradient = _export_network(model, folder)
    write_development(_development(model), folder / DEVELOPMENT)
    on_step("held-out photographs")
    outputs = {"float32": _run_heldout(folder / MODEL, model)}
    files = {"float32": folder / MODEL}
    calibration_outputs, test_outputs = outputs["float32"]
    holdout = Holdout.join(model.frame, calibration_outputs)
    calibration, chosen = fit_calibration(holdout), choose_thresholds(holdout, model.target)
    main = next(iter(chosen.values())).logit
    test = Holdout.join(model.frame, test_outputs)
    results = evaluate(test, calibration.temperature, settings.replicates)
    prevalence, prevalence_note = assumed_prevalence(model, settings.prevalence)
    thresholds = evaluate_thresholds(results, chosen, prevalence)
    subgroups = evaluate_subgroups(results, main)
    on_step("gate")
    int8 = Int8Graph(why="not asked for")
    if settings.int8:
        on_step("int8 variant")
        int8, int8_outputs = _quantize(model, folder, test, main)
        if int8.file:
            outputs["int8"], files["int8"] = int8_outputs, folder / int8.file
    gate = fit_gate(
        calibration=measure_qualities(model, model.split.validation),
        test=measure_qualities(model, model.split.test),
        outputs=outputs,
    )
    on_step("speed")
    return BundleManifest(
        **describe_origin(model),
        calibration=calibration,
        prevalence=prevalence,
        prevalence_note=prevalence_note,
        thresholds=thresholds,
        metrics=results.metrics,
        subgroups=subgroups,
        heldout=describe_heldout(test),
        gate=gate,
        graphs=Graphs(model=Graph(file=MODEL), gradient=gradient, int8=int8),
        variants=time_variants(files, model.config.image_size),
        files={},
        seal="",
    )


def _development(model: TrainedModel) -> pl.DataFrame:
    """Hash the photographs of all parts; those of no part took none in the development."""
    rows, split = {}, model.split
    for part, which in zip(PARTS, (split.train, split.validation, split.test), strict=True):
        rows |= dict.fromkeys(model.arrays.image_id[which].tolist(), part)
    parts = pl.DataFrame({"image_id": list(rows), "part": list(rows.values())})
    return development_hashes(model.frame.join(parts, on="image_id"), model.id_spaces)


def _run_heldout(path: Path, model: TrainedModel) -> tuple[GraphOutputs, GraphOutputs]:
    """Run a graph over the calibration and over the test photographs."""
    graph, split = OnnxModel(path), model.split
    return run_graph(graph, model, split.validation), run_graph(graph, model, split.test)


def _export_network(model: TrainedModel, folder: Path) -> Graph:
    """Write weights, graph and, where ONNX can express it, the gradient's graph."""
    rows = sample_rows(model.split.train, _MAX_FEATURES)
    feature_distance = fit_feature_distance(train_features(model, rows))
    export_model(model.network, model.config.image_size, folder / MODEL, feature_distance)
    write_tensors(folder / WEIGHTS, model.network.state_dict())
    try:
        export_gradient(model.network, model.config.image_size, folder / GRADIENT)
    except BundleError as error:
        return Graph(why=error.found)
    return Graph(file=GRADIENT)


def _quantize(
    model: TrainedModel, folder: Path, test: Holdout, threshold: float
) -> tuple[Int8Graph, tuple[GraphOutputs, GraphOutputs]]:
    """Make the int8 variant and take its file away again where it loses too much."""
    rows = sample_rows(model.split.train, _MAX_QUANTIZED)
    quantize(folder / MODEL, folder / SMALL, *graph_inputs(model.arrays, rows))
    outputs = _run_heldout(folder / SMALL, model)
    small = Holdout.join(test.frame, outputs[1])
    compared = compare_variants(test.target, test.logit, small.logit, threshold)
    if compared.accepted:
        return msgspec.structs.replace(compared, file=SMALL), outputs
    (folder / SMALL).unlink()
    return compared, outputs


def _write_manifest(folder: Path, manifest: BundleManifest) -> None:
    """Write the card and, last, the manifest that names and seals all files."""
    with atomic_path(folder / CARD) as partial:
        partial.write_text(model_card(manifest), encoding="utf-8")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        path.chmod(0o644)  # safetensors writes for the owner alone
    whole = manifest.sealed({path.name: file_entry(path) for path in files})
    text = json.dumps(whole.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(folder / MANIFEST) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
