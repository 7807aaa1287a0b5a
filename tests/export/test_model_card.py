"""The card says what the record says, all of it, and nothing that it does not."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from melanoscope import patient
from melanoscope.inference.calibration import TemperatureScaling
from tests.inference.manifests import record_of

from .cards import card_of, check_markdown


@pytest.mark.parametrize("int8", [True, False])
def test_it_is_sound_markdown(int8):
    check_markdown(card_of(record_of(int8=int8)))


def test_simulated_data_is_told_in_the_first_line():
    record = record_of()
    assert "imulated" not in card_of(record)
    record["data"] |= {"simulated": True, "dermoscopy_only": False}
    card = card_of(record)
    assert "Simulated data" in card.splitlines()[0]
    assert "drawn by a program" in card[card.index("## Known limitations") :]
    assert "dermoscopy" not in card
    check_markdown(card)


def test_a_network_for_dermoscopy_says_so():
    record = record_of()
    assert "telephone photographs: it learnt from dermoscopy" in card_of(record)
    record["data"]["dermoscopy_only"] = False
    assert "telephone" not in card_of(record)


def test_terms_stand_above_everything_that_is_measured():
    record = record_of()
    top = card_of(record).split("| In short")[0]
    assert "Not for commercial use." in top
    assert record["licence"]["notice"] in top
    assert record["disclaimer"] in top
    record["licence"]["non_commercial"] = False
    assert "commercial" not in card_of(record)


def test_every_archive_is_credited():
    record = record_of()
    card = card_of(record)
    for source in record["data"]["sources"]:
        assert f"| {source['title']} |" in card
        assert source["attribution"] in card


def test_without_a_gradient_graph_it_says_why():
    record = record_of()
    record["graphs"]["gradient"] = {"why": "no rule for <pooling> | backwards"}
    card = card_of(record)
    assert "no rule for &lt;pooling&gt; \\| backwards" in card
    assert "--explain` draws Integrated" not in card
    check_markdown(card)


def test_a_refused_int8_variant_is_told_with_its_figures():
    record = record_of(int8=False)
    record["graphs"]["int8"] = {
        "photographs": 676,
        "positives": 26,
        "threshold": 0.5,
        "logit_difference": 0.1,
        "auroc_float32": 0.819,
        "auroc_int8": 0.801,
        "sensitivity_float32": 0.941,
        "sensitivity_int8": 0.903,
        "specificity_float32": 0.46,
        "specificity_int8": 0.55,
        "decided_otherwise": 0.077,
        "accepted": False,
        "why": "AUROC 0.801 instead of 0.819, more than 0.005 apart",
    }
    card = card_of(record)
    assert "There is no int8 variant: AUROC 0.801 instead of 0.819, more than 0.005 apart." in card
    assert "sensitivity 90.3 % instead of 94.1 %" in card
    assert "--variant int8" not in card
    check_markdown(card)


def test_an_int8_variant_that_was_not_asked_for_has_no_figures():
    card = card_of(record_of(int8=False))
    assert "There is no int8 variant: not asked for." in card
    check_markdown(card)


def test_a_subgroup_without_a_number_says_why_and_is_named_as_a_limitation():
    record = record_of()
    reason = "too few: 3 groups with melanomas, at least 10 needed"
    record["subgroups"][0]["levels"].append(
        {
            "level": "unknown",
            "n": 12,
            "positives": 3,
            "groups": 3,
            "too_small": reason,
            **dict.fromkeys(("auroc", "sensitivity", "specificity")),
        }
    )
    card = card_of(record)
    assert f"| unknown | 12 | 3 | {reason} | | |" in card
    assert "too small for a number (Sex: unknown)" in card
    check_markdown(card)


def test_a_threshold_without_a_measurement_says_so():
    record = record_of()
    record["thresholds"][0]["sensitivity"] = None
    record["thresholds"][0]["ppv"] = None
    card = card_of(record)
    assert "too few for a number" in card
    assert "At its main threshold it missed" not in card
    check_markdown(card)


def test_parts_that_are_absent_have_no_section():
    record = record_of()
    record["subgroups"], record["metrics"], record["training"]["selection"] = [], {}, None
    card = card_of(record)
    assert "## Subgroups" not in card
    assert "## How well it does" not in card
    check_markdown(card)


def test_a_network_of_the_photograph_alone_asks_for_no_person():
    record = record_of()
    record["static"], record["network"]["with_static"] = None, False
    card = card_of(record)
    assert "--age" not in card
    assert "age=45" not in card
    assert "passed over" in card
    check_markdown(card)


def test_a_calibration_that_failed_says_so():
    record = record_of()
    del record["calibration"]["method"]
    record["calibration"]["why"] = "no finite temperature"
    card = card_of(record)
    assert "No better one was found: no finite temperature." in card
    check_markdown(card)


def graph_at(path, px):
    """A graph with a bundle's inputs, whose answers depend on every pixel and every column."""
    rng = np.random.default_rng(0)
    weights = {
        "seen": rng.normal(0, 1e-4, (px, px, 3)).astype(np.float32),
        "told": rng.normal(0, 1, (1, patient.WIDTH)).astype(np.float32),
        "axes": np.array([1, 2, 3]),
        "row": np.array([1, 2]),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "seen"], ["places"]),
        helper.make_node("ReduceSum", ["places", "axes"], ["photograph"], keepdims=0),
        helper.make_node("Mul", ["static", "told"], ["columns"]),
        helper.make_node("ReduceSum", ["columns", "row"], ["person"], keepdims=0),
        helper.make_node("Add", ["photograph", "person"], ["logit"]),
        helper.make_node("Abs", ["logit"], ["distance"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [
            value("pixels", TensorProto.UINT8, ["n", px, px, 3]),
            value("static", TensorProto.FLOAT, ["n", "s", patient.WIDTH]),
        ],
        [value(name, TensorProto.FLOAT, ["n"]) for name in ("logit", "distance")],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), str(path))


def test_the_example_for_other_programs_runs(tmp_path, monkeypatch, capsys):
    from PIL import Image

    from melanoscope.inference.onnx_session import OnnxModel

    record = record_of()
    px = record["network"]["size"]
    graph_at(tmp_path / "model.onnx", px)
    pixels = np.random.default_rng(1).integers(0, 256, (px, px, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    blocks = re.findall(r"```python\n(.*?)```", card_of(record), re.DOTALL)
    example = next(one for one in blocks if "onnxruntime" in one)
    assert len(example.splitlines()) == 10
    monkeypatch.chdir(tmp_path)
    exec(example.replace("photo.jpg", "photo.png"), {})  # noqa: S102 - our own template
    said = re.search(r"probability \[([\d.e+-]+)\]", capsys.readouterr().out)
    known = patient.encode([None], ["unknown"], ["unknown"])[None]
    logit = float(OnnxModel(tmp_path / "model.onnx")(pixels=pixels[None], static=known)["logit"][0])
    scale = TemperatureScaling(
        record["calibration"]["temperature"], record["calibration"]["prevalence"]
    )
    assert float(said[1]) == pytest.approx(scale.probability(logit, record["prevalence"]), abs=1e-5)


def test_the_training_part_is_what_the_others_leave():
    record = record_of()
    assert "| not told | not told | weights" in card_of(record)
    held = record["calibration"]["photographs"] + record["heldout"]["photographs"]
    record["data"] |= {"photographs": held + 123, "positives": 20_000, "groups": 25_000}
    record["training"]["photographs"] = 123
    left = [
        record["data"][key] - record["calibration"][key] - record["heldout"][key]
        for key in ("positives", "groups")
    ]
    assert f"| training | 123 | {left[0]:,} | {left[1]:,} | weights" in card_of(record)
