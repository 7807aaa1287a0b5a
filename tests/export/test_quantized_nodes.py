"""Which nodes of a graph are computed in 8 bits."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from melanoscope.export.quantized_nodes import add_constants, quantized_nodes


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
