"""Graphs of strangers: whole in themselves, with the signature they must have, or one line."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

import melanoscope
from melanoscope.errors import BundleError
from melanoscope.inference.bundle import MANIFEST, REQUIRED, Bundle, open_bundle
from melanoscope.inference.onnx_content import refuse_foreign
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.patient import PatientInfo

from .broken_graphs import PX, graph_of, write_bundle

WHOLE = graph_of()
ONE = np.ones(1, np.float32)


def refused(graph, folder):
    with pytest.raises(BundleError) as caught:
        melanoscope.load(write_bundle(folder / "bundle", graph), threads=1)
    assert str(caught.value).isprintable()
    return str(caught.value)


def changed(change):
    model = onnx.load_from_string(WHOLE)
    change(model)
    return model.SerializeToString()


def external(tensor, location="other.bin"):
    onnx.external_data_helper.set_external_data(tensor, location=location)
    tensor.ClearField("raw_data")
    return tensor


def in_constant(model):
    value = external(onnx.numpy_helper.from_array(ONE, "c"))
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=value))


def in_branch(model):
    inner = helper.make_graph([], "inner", [], [])
    inner.initializer.append(external(onnx.numpy_helper.from_array(ONE, "c")))
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))


def in_sparse(model):
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(external(onnx.numpy_helper.from_array(ONE, "c")))


def in_function(model):
    node = helper.make_node("Constant", [], ["c"])
    value = external(onnx.numpy_helper.from_array(ONE))
    node.attribute.append(helper.make_attribute("value", value))
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("", "F", [], ["c"], [node], opsets))


def in_memory(model):
    external(model.graph.initializer[0], "*/_ORT_MEM_ADDR_/*")


@pytest.mark.parametrize("where", [in_constant, in_branch, in_sparse, in_function, in_memory])
def test_values_outside_of_the_file_are_refused(tmp_path, where):
    assert "whose values lie outside" in refused(changed(where), tmp_path)


def test_external_data_inside_the_bundle_is_refused_too(tmp_path):
    """Its name may stand in bundle.json, but what ONNX Runtime would read is the file, later."""
    graph = graph_of(external="data.bin")
    folder = write_bundle(tmp_path, graph, files={"data.bin": np.float32(9).tobytes()})
    with pytest.raises(BundleError, match="whose values lie outside"):
        melanoscope.load(folder, threads=1)


@pytest.mark.parametrize("domain", ["com.microsoft", "evil", "ai.onnx.ml", "\x1b[2J"])
def test_operators_of_libraries_are_refused(tmp_path, domain):
    assert "operators of the library" in refused(graph_of(domain=domain), tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rename": {"logit": "probability"}}, "no logit"),
        ({"drop": ("distance",)}, "no distance"),
        ({"px": 32}, "shape ['n', 32, 32, 3]"),
    ],
)
def test_another_signature_is_refused(tmp_path, options, words):
    assert words in refused(graph_of(**options), tmp_path)


def test_other_inputs_and_types_are_refused(tmp_path):
    def rename(model):
        model.graph.input[1].name = "other"

    def retype(model):
        model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64

    assert "expected" in refused(changed(rename), tmp_path)
    assert "expected" in refused(changed(retype), tmp_path / "b")


def test_outputs_of_another_shape_are_refused_where_they_come(tmp_path):
    def lie(model):  # the shape that is promised is any, the one that comes has an axis more
        model.graph.output[0].type.tensor_type.ClearField("shape")
        next(n for n in model.graph.node if n.output[0] == "logit").input[0] = "of_static"

    def answer():
        predictor = melanoscope.load(write_bundle(tmp_path, changed(lie)), threads=1)
        predictor.forward(np.zeros((2, PX, PX, 3), np.uint8), [PatientInfo()] * 2)

    with pytest.raises(BundleError, match="logit"):
        answer()


def test_a_graph_that_fails_when_it_runs_is_one_line():
    model = OnnxModel(WHOLE, 1)
    with pytest.raises(BundleError, match="a graph that runs"):
        model(pixels=np.zeros((1, 3, 3, 3), np.uint8), static=np.zeros((1, 1, 12), np.float32))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"ORTM" * 9, b"{}", WHOLE[:-9], WHOLE + b"\x0b", b"\x3a\xff" + WHOLE],
)
def test_what_is_no_graph_is_refused(content):
    with pytest.raises(BundleError):
        OnnxModel(content, 1)


@given(data=st.data())
@settings(max_examples=150)
def test_no_changed_bytes_hide_external_data(data):
    """The reader of bytes never lets pass what the package `onnx` reads as external data."""
    content = bytearray(graph_of(external="data.bin"))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        model = onnx.load_from_string(bytes(content))
    except Exception:  # noqa: BLE001 - of google.protobuf, which the base install lacks
        model = None
    is_external = model is not None and any(
        one.data_location == onnx.TensorProto.EXTERNAL for one in model.graph.initializer
    )
    try:
        refuse_foreign(bytes(content), "x")
    except BundleError:
        return
    assert not is_external


def test_what_is_run_is_what_was_hashed(tmp_path):
    """A file that is changed after the bundle was opened is not run."""
    folder = write_bundle(tmp_path, graph_of({"logit": 1.0}))
    bundle = open_bundle(folder)
    (folder / "model.onnx").write_bytes(graph_of({"logit": 2.0}))
    with pytest.raises(BundleError, match="as it was exported"):
        bundle.read_graph("model")


@pytest.mark.parametrize("name", [*REQUIRED, MANIFEST])
def test_links_inside_a_bundle_are_refused(tmp_path, name):
    folder = write_bundle(tmp_path / "bundle", WHOLE)
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    with pytest.raises(BundleError):
        open_bundle(folder)


def test_a_card_that_is_no_text_is_one_line(tmp_path):
    bundle = open_bundle(write_bundle(tmp_path / "a", WHOLE, card=b"\xff\xfe\0"))
    with pytest.raises(BundleError, match="no UTF-8"):
        bundle.card()
    bundle = open_bundle(write_bundle(tmp_path / "b", WHOLE, card=b"x" * (2**20 + 1)))
    with pytest.raises(BundleError, match="at most 1048576 bytes"):
        bundle.card()


def test_weights_are_never_read_to_answer(tmp_path):
    assert isinstance(melanoscope.load(write_bundle(tmp_path, WHOLE), threads=1).bundle, Bundle)
