"""A bundle made from a trained network, held against the network itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from melanoscope.data.sources import parse_spec
from melanoscope.errors import BundleError, StatisticsError
from melanoscope.export.bundle_writer import ExportSettings, write_bundle
from melanoscope.export.manifest import describe_origin, license_of
from melanoscope.export.outputs import measure_qualities, run_graph
from melanoscope.inference.bundle import open_bundle
from melanoscope.inference.manifest import seal_of
from melanoscope.inference.manifest_records import Archive
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.inference.predictor import load
from melanoscope.models.lesion_net import from_checkpoint, to_images
from melanoscope.stats.validation import FEWEST_GROUPS


@pytest.fixture(scope="module")
def manifest(small_bundle):
    return open_bundle(small_bundle).manifest


def test_the_three_parts_share_no_group(small_subject):
    parts = small_subject.split
    groups = [
        set(small_subject.frame["group_id"].gather(rows))
        for rows in (parts.train, parts.validation, parts.test)
    ]
    assert all(groups)
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert sum(map(len, (parts.train, parts.validation, parts.test))) == small_subject.frame.height


def test_the_record_counts_the_parts(small_subject, manifest):
    parts = small_subject.split
    assert manifest.training.photographs == len(parts.train)
    assert manifest.calibration.photographs == len(parts.validation)
    assert manifest.heldout.photographs == len(parts.test)


def test_weights_rebuild_the_network(small_subject, small_bundle):
    again = from_checkpoint(small_subject.cell.backbone, small_bundle / "weights.safetensors")
    for name, tensor in small_subject.network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_the_bundle_answers_as_the_network(small_subject, small_bundle):
    rows = small_subject.split.test[:8]
    pixels, known, _ = small_subject.arrays.batch(rows)
    with torch.inference_mode():
        expected = small_subject.network(to_images(pixels), known).numpy()
    predictor = load(small_bundle)
    from melanoscope.patient import PatientInfo

    people = [
        PatientInfo(row["age"], row["sex"], row["site"])
        for row in small_subject.frame[rows].select("age", "sex", "site").iter_rows(named=True)
    ]
    outputs = predictor.forward(pixels.numpy(), people)
    assert [one.logit for one in outputs] == pytest.approx(expected.tolist(), abs=1e-4)


def test_photographs_are_known_by_their_ids_whatever_the_order_of_the_catalog(
    small_subject, small_bundle
):
    rows = small_subject.split.test[:6]
    shuffled = replace(small_subject, frame=small_subject.frame.reverse())
    assert measure_qualities(shuffled, rows) == measure_qualities(small_subject, rows)
    outputs = run_graph(OnnxModel(small_bundle / "model.onnx"), shuffled, rows)
    assert list(outputs.image_id) == small_subject.frame["image_id"][rows].to_list()


def test_the_measured_auroc_is_that_of_the_network(small_subject, small_bundle, manifest):
    from sklearn.metrics import roc_auc_score

    rows = small_subject.split.test
    pixels, known, target = small_subject.arrays.batch(rows)
    with torch.inference_mode():
        logits = small_subject.network(to_images(pixels), known).numpy()
    expected = roc_auc_score(target.numpy(), logits)
    outputs = run_graph(OnnxModel(small_bundle / "model.onnx"), small_subject, rows)
    assert roc_auc_score(target.numpy(), outputs.logit) == pytest.approx(expected, abs=0.01)
    # The smaller class has 10 groups or more here, or there is no interval and so no number.
    found = manifest.metrics.get("auroc")
    group = small_subject.frame["group_id"].to_numpy()[rows]
    few = min(np.unique(group[target.numpy() == side]).size for side in (0, 1)) < FEWEST_GROUPS
    assert (found is None) == few
    assert found is None or found.estimate == pytest.approx(expected, abs=0.01)


def test_simulated_data_is_named_in_the_record_and_the_card(small_bundle, manifest):
    assert manifest.data.simulated is True
    assert "simulated" in manifest.disclaimer
    card = (small_bundle / "MODEL_CARD.md").read_text()
    assert "simulated" in "\n".join(card.splitlines()[:4]).lower()


def test_every_file_is_named(small_bundle, manifest):
    there = {path.name for path in small_bundle.iterdir()} - {"bundle.json"}
    assert there == set(manifest.files)
    assert {"model.onnx", "weights.safetensors", "MODEL_CARD.md"} <= there
    for graph in (manifest.graphs.model, manifest.graphs.gradient, manifest.graphs.int8):
        assert graph.file or graph.why


def test_nothing_in_a_bundle_is_a_pickle(small_bundle):
    import pickle

    for path in small_bundle.iterdir():
        with path.open("rb") as file, pytest.raises(Exception):  # noqa: B017
            pickle.load(file)  # noqa: S301 - it must fail


def test_a_bundle_names_no_path_of_the_machine(small_bundle, small_subject):
    text = (small_bundle / "bundle.json").read_text() + (small_bundle / "MODEL_CARD.md").read_text()
    for place in {str(small_bundle.parent), *small_subject.frame["path"].head(3).to_list()}:
        assert place not in text
    assert b"/src/melanoscope/" not in (small_bundle / "model.onnx").read_bytes()


def test_the_gate_refuses_few_of_the_held_out(manifest):
    for variant, rates in manifest.gate.rates.items():
        assert rates.refused.estimate <= 0.05, variant


def test_a_place_that_is_taken_is_refused(small_subject, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="a new or empty folder"):
        write_bundle(small_subject, tmp_path, ExportSettings())
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failure_leaves_nothing(small_subject, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise StatisticsError("a", "b", "c")

    monkeypatch.setattr("melanoscope.export.bundle_writer.train_features", fail)
    with pytest.raises(StatisticsError):
        write_bundle(small_subject, tmp_path / "out", ExportSettings(replicates=200))
    assert not list(tmp_path.iterdir())


def test_the_record_is_json_without_nan(small_bundle):
    def refuse(text):
        raise AssertionError(text)

    json.loads((small_bundle / "bundle.json").read_text(), parse_constant=refuse)


def test_terms_of_the_archives_are_inherited():
    def archive(terms):
        return Archive(
            kind="K", title="T", license=terms, attribution="A", rows=1, found=1, absent=0
        )

    both = license_of([archive("CC BY 4.0"), archive("CC BY-NC 4.0")])
    assert both.non_commercial
    assert "not to be used commercially" in both.notice
    assert both.attribution == ("T: A", "T: A")
    assert not license_of([archive("CC BY 4.0")]).non_commercial
    rows = license_of([archive("as its rows say")], ["CC-BY-NC", "CC-0", "CC-0"])
    assert rows.non_commercial
    assert rows.terms == ("CC-0", "CC-BY-NC", "as its rows say")


@pytest.mark.parametrize(
    ("image_types", "simulated", "only"),
    [
        (["dermoscopic"], False, True),
        (["dermoscopic"], True, False),
        (["dermoscopic", "clinical"], False, False),
        (["dermoscopic", None], False, False),
    ],
)
def test_a_bundle_is_for_dermoscopy_where_all_its_photographs_are(
    small_subject, image_types, simulated, only
):
    height = small_subject.frame.height
    types = pl.Series([image_types[row % len(image_types)] for row in range(height)])
    frame = small_subject.frame.with_columns(image_type=types)
    data = [parse_spec("simulated=240" if simulated else "table=x.csv")]
    config = replace(small_subject.config, data=tuple(data))
    found = describe_origin(replace(small_subject, frame=frame, config=config))["data"]
    assert found.dermoscopy_only is only


def test_the_manifest_is_what_the_file_says(small_bundle, manifest):
    record = json.loads((small_bundle / "bundle.json").read_text())
    assert manifest.to_dict() == record
    assert record["seal"] == seal_of(record)
    # All numbers with bounds have one form.
    keys = {"estimate", "low", "high", "standard_error", "n", "method", "unit", "confidence"}
    rates = record["gate"]["rates"]["float32"]
    for one in (*record["metrics"].values(), rates["accepted"], rates["refused"]):
        assert set(one) == keys
