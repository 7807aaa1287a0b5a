"""The int8 variant: the same interface, the same sum, nearly the same answers, or refused."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import recall_score, roc_auc_score

from melanoscope import patient
from melanoscope.errors import StatisticsError
from melanoscope.export.onnx_model import OUTPUTS, export_model
from melanoscope.export.out_of_distribution import fit_feature_distance
from melanoscope.export.quantization import compare_variants, quantize
from melanoscope.export.quantized_nodes import add_constants, quantized_nodes

from .lively import PX, coloured, lively

BACKBONE = "squeezenet1_1"


def photographs(n, seed=0):
    import torch

    torch.manual_seed(seed)
    pixels = (coloured(n) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    known = np.random.default_rng(seed).normal(size=(n, 1, patient.WIDTH)).astype(np.float32)
    return pixels, known


def ask(path, pixels, known):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    said = session.run(list(OUTPUTS), {"pixels": pixels, "static": known})
    return dict(zip(OUTPUTS, said, strict=True))


@pytest.fixture(scope="module")
def novelty():
    features = np.random.default_rng(0).normal(1, 1, (300, 512)).astype(np.float32)
    return fit_feature_distance(features, components=8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, novelty):
    path = tmp_path_factory.mktemp("graphs") / "model.onnx"
    export_model(lively(BACKBONE), PX, path, novelty)
    return path


@pytest.fixture(scope="module")
def small(whole):
    path = whole.with_name("model.int8.onnx")
    quantize(whole, path, *photographs(20))
    return path


def test_inputs_and_outputs_stay_what_they_are(whole, small):
    def interface(path):
        graph = onnx.load(str(path)).graph
        return [
            (
                one.name,
                one.type.tensor_type.elem_type,
                # Sizes that vary may have other names; fixed ones are the same.
                [d.dim_value for d in one.type.tensor_type.shape.dim],
            )
            for one in (*graph.input, *graph.output)
        ]

    assert interface(small) == interface(whole)


@pytest.mark.parametrize(("n", "s"), [(1, 1), (3, 1), (2, 5)])
def test_any_number_of_photographs_and_rows(small, n, s):
    pixels, known = photographs(n)
    said = ask(small, pixels, np.repeat(known, s, axis=1))
    assert said["logit"].shape == said["distance"].shape == (n,)
    assert said["static_evidence"].shape == (n, s)
    assert said["features"].shape == (n, 512)


def test_the_logit_is_the_sum_with_the_same_bias(whole, small):
    pixels, known = photographs(6, seed=1)
    before, after = (ask(path, pixels, known) for path in (whole, small))
    biases = [
        said["logit"] - said["evidence"].sum((1, 2)) - said["static_evidence"][:, 0]
        for said in (before, after)
    ]
    assert biases[1] == pytest.approx(biases[0], abs=1e-4)


def test_the_static_branch_is_the_same_to_the_last_bit(whole, small):
    inputs = photographs(6, seed=1)
    before, after = (ask(path, *inputs)["static_evidence"] for path in (whole, small))
    assert np.array_equal(before, after)


def test_the_distance_is_that_of_the_features(small, novelty):
    said = ask(small, *photographs(6, seed=1))
    assert said["distance"] == pytest.approx(novelty.distance(said["features"]), rel=1e-3)


def test_other_photographs_are_answered_nearly_alike(whole, small):
    inputs = photographs(64, seed=2)
    before, after = (ask(path, *inputs) for path in (whole, small))
    error = np.linalg.norm(after["features"] - before["features"])
    assert 0 < error < 0.05 * np.linalg.norm(before["features"])
    assert np.corrcoef(before["logit"], after["logit"])[0, 1] > 0.99
    moved = np.abs(after["logit"] - before["logit"]).mean()
    assert moved < 0.1 * before["logit"].std()


def test_nothing_is_lost_on_average_over_the_photographs_it_was_made_with(whole, small):
    inputs = photographs(20)
    before, after = (ask(path, *inputs) for path in (whole, small))
    for name in ("features", "evidence"):
        scale = float(np.abs(before[name]).mean())
        assert after[name].mean(0) == pytest.approx(before[name].mean(0), abs=1e-3 * scale)
    assert after["logit"].mean() == pytest.approx(before["logit"].mean(), abs=1e-4)


def test_it_is_smaller(whole, small):
    assert small.stat().st_size < 0.45 * whole.stat().st_size


def test_weights_have_a_scale_per_channel_and_seven_bits(small):
    # 255 * 64 * 2 fits into the 16 bits in which processors without VNNI add up two products.
    graph = onnx.load(str(small)).graph
    known = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    seen = 0
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in made_by:
            continue
        weights, scale, *_ = made_by[node.input[1]].input
        assert known[weights].dtype == np.int8
        assert np.abs(known[weights].astype(int)).max() <= 64
        assert known[scale].shape == (known[weights].shape[0],)
        seen += 1
    assert seen == 23  # of 25: the first two are not, nor is the head's


@pytest.fixture
def _restored_logs():
    import logging

    before = logging.root.manager.disable
    yield
    assert logging.root.manager.disable == before


@pytest.mark.usefixtures("_restored_logs")
def test_it_is_made_in_silence_and_twice_alike(whole, small, tmp_path, capfd, caplog):
    again = tmp_path / "again.onnx"
    quantize(whole, again, *photographs(20))
    assert again.read_bytes() == small.read_bytes()
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert [path.name for path in tmp_path.iterdir()] == ["again.onnx"]


def test_without_photographs_there_are_no_ranges(whole, tmp_path):
    pixels, known = photographs(1)
    with pytest.raises(StatisticsError, match="photographs to find ranges with"):
        quantize(whole, tmp_path / "small.onnx", pixels[:0], known[:0])
    assert not list(tmp_path.iterdir())


# Which nodes: graphs made by hand, named by what they are.


def graph_of(*chain, branches=()):
    """Nodes (name, operator, input) in a row, with `features` and `evidence` behind the last."""
    nodes = [helper.make_node(op, [given], [name], name=name) for name, op, given in chain]
    last = chain[-1][0]
    nodes += [
        helper.make_node("ReduceMean", [last], ["features"], name="mean"),
        helper.make_node("Conv", [last, "w"], ["evidence"], name="head"),
        *branches,
    ]
    return helper.make_model(helper.make_graph(nodes, "g", [], []))


def test_the_beginning_and_the_head_stay_in_floating_point():
    model = graph_of(
        ("scaled", "Mul", "pixels"),
        ("c0", "Conv", "scaled"),
        ("r0", "Relu", "c0"),
        ("c1", "Conv", "r0"),
        ("r1", "Relu", "c1"),
        ("c2", "Conv", "r1"),
        ("r2", "Relu", "c2"),
    )
    assert quantized_nodes(model) == ["c2", "r2"]


def test_no_pool_of_the_beginning_reaches_into_the_rest():
    # The pool's rest is added again behind c2, as in ResNet: c2 and the sum stay as they are.
    model = graph_of(
        ("c0", "Conv", "pixels"),
        ("pool", "MaxPool", "c0"),
        ("c1", "Conv", "pool"),
        ("c2", "Conv", "c1"),
        ("c3", "Conv", "pool"),
        ("c4", "Conv", "c3"),
    )
    assert quantized_nodes(model) == ["c4"]


def test_a_later_pool_is_quantised_with_the_rest():
    model = graph_of(
        ("c0", "Conv", "pixels"),
        ("c1", "Conv", "c0"),
        ("c2", "Conv", "c1"),
        ("pool", "MaxPool", "c2"),
        ("c3", "Conv", "pool"),
    )
    assert quantized_nodes(model) == ["c2", "pool", "c3"]


def test_too_few_convolutions_leave_nothing_to_quantise():
    assert quantized_nodes(graph_of(("c0", "Conv", "pixels"), ("c1", "Conv", "c0"))) == []


def test_what_is_added_reaches_all_that_rests_on_it():
    nodes = [
        helper.make_node("Identity", ["x"], ["features"]),
        helper.make_node("ReduceSum", ["features", "axes"], ["total"], keepdims=0),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 2]), ("features", ["n", 2]), ("total", ["n"]))
    ]
    axes = numpy_helper.from_array(np.array([1]), "axes")
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    add_constants(model, {"features": np.array([10, 20], np.float32)})
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features, total = session.run(None, {"x": np.array([[1, 2], [3, 4]], np.float32)})
    assert features.tolist() == [[11, 22], [13, 24]]
    assert total.tolist() == [33, 37]


# Kept or refused.

LOGITS = hnp.arrays(np.float64, 40, elements=st.floats(-60, 60))


@settings(max_examples=40)
@given(LOGITS, LOGITS, st.floats(-5, 5))
def test_figures_are_those_of_scikit_learn(before, after, threshold):
    target = np.arange(40) % 3 == 0
    found = compare_variants(target, before, after, threshold)
    assert found.auroc_float32 == pytest.approx(roc_auc_score(target, before))
    assert found.auroc_int8 == pytest.approx(roc_auc_score(target, after))
    for logit, positive, negative in (
        (before, found.sensitivity_float32, found.specificity_float32),
        (after, found.sensitivity_int8, found.specificity_int8),
    ):
        called = logit >= threshold
        assert positive == pytest.approx(recall_score(target, called))
        assert negative == pytest.approx(recall_score(target, called, pos_label=0))
    kept = (
        abs(found.auroc_int8 - found.auroc_float32) <= 0.005 + 1e-9
        and abs(found.sensitivity_int8 - found.sensitivity_float32) <= 0.01 + 1e-9
    )
    assert found.accepted == kept
    assert (found.why is None) == kept
    assert found.photographs == 40
    assert found.positives == 14
    assert found.decided_otherwise == np.mean((before >= threshold) != (after >= threshold))
    json.dumps(msgspec.structs.asdict(found), allow_nan=False)


def spread(n=400, share=0.25):
    """Logits in which a quarter are melanomas, most of them high."""
    rng = np.random.default_rng(0)
    target = np.arange(n) < share * n
    return target, rng.normal(2 * target, 1.0)


def test_a_variant_that_ranks_worse_is_refused():
    target, logit = spread()
    worse = logit + np.random.default_rng(1).normal(0, 1, logit.size)
    found = compare_variants(target, logit, worse, -100.0)
    assert not found.accepted
    assert f"AUROC {found.auroc_int8:.3f} instead of {found.auroc_float32:.3f}" in found.why
    assert "sensitivity" not in found.why


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_a_variant_that_calls_otherwise_is_refused_in_either_direction(shift):
    target, logit = spread()
    found = compare_variants(target, logit, logit + shift, 1.0)
    assert not found.accepted
    assert "sensitivity" in found.why
    assert "AUROC" not in found.why


@pytest.mark.parametrize(("lost", "accepted"), [(0, True), (1, True), (2, False)])
def test_one_melanoma_of_a_hundred_is_one_point_and_may_be_lost(lost, accepted):
    target = np.repeat([True, False], 100)
    logit = np.where(target, 1.0, -1.0) + np.linspace(0, 1e-3, 200)
    changed = logit.copy()
    changed[95 : 95 + lost] = -1e-6  # no longer called, but still above all others
    found = compare_variants(target, logit, changed, 0.0)
    assert found.accepted is accepted
    assert found.sensitivity_int8 == pytest.approx(1 - lost / 100)


def test_high_logits_are_no_ties():
    found = compare_variants([0, 1, 1], [50.0, 60.0, 70.0], [60.0, 50.0, 70.0], 0.0)
    assert found.auroc_float32 == 1.0
    assert found.auroc_int8 == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(StatisticsError, match="finite logits"):
        compare_variants([0, 1], [0.0, 1.0], [0.0, bad], 0.5)
    with pytest.raises(StatisticsError, match="finite logits"):
        compare_variants([0, 1], [0.0, 1.0], [0.0, 1.0], bad)


def test_one_class_alone_is_refused():
    with pytest.raises(StatisticsError, match="both positives and negatives"):
        compare_variants([1, 1], [0.0, 1.0], [0.0, 1.0], 0.5)
