"""Times are taken in turns, summarised by their middle, and told with what they were taken on."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.export.latency import spread, take_turns, time_variants


class Clock:
    """Stands still unless a task moves it."""

    def __init__(self):
        self.now, self.log = 0.0, []

    def __call__(self):
        return self.now

    def task(self, name, *seconds):
        left = list(seconds)

        def run():
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_each_task_gets_its_own_time():
    clock = Clock()
    tasks = {"quick": clock.task("quick", 0.25), "slow": clock.task("slow", 2.0)}
    found = take_turns(tasks, repeats=4, clock=clock)
    assert found == {"quick": [0.25] * 4, "slow": [2.0] * 4}


def test_the_first_runs_do_not_count():
    clock = Clock()
    found = take_turns({"one": clock.task("one", 9.0, 9.0, 1.0)}, repeats=3, warm_up=2, clock=clock)
    assert found == {"one": [1.0] * 3}


def test_every_round_runs_each_once_in_changing_order():
    clock = Clock()
    names = ("a", "b", "c")
    take_turns({n: clock.task(n, 1.0) for n in names}, repeats=20, warm_up=0, clock=clock)
    rounds = [tuple(clock.log[start : start + 3]) for start in range(0, 60, 3)]
    assert all(sorted(one) == list(names) for one in rounds)
    assert len(set(rounds)) > 3


@pytest.mark.parametrize("repeats", [-1, 0, 1])
def test_one_run_has_no_quartiles(repeats):
    with pytest.raises(BundleError, match="at least 2 repeats"):
        take_turns({"one": lambda: None}, repeats=repeats)


@given(st.lists(st.floats(0, 1e3), min_size=2, max_size=50))
def test_the_summary_is_in_order(values):
    found = spread(values)
    assert found["fastest"] == min(values)
    assert found["median"] == pytest.approx(np.median(values))
    ordered = [found[key] for key in ("fastest", "lower_quartile", "median", "upper_quartile")]
    assert ordered == sorted(ordered)
    assert ordered[-1] <= max(values)


@pytest.fixture
def graph(tmp_path):
    """Answers with the sum of what it is shown."""
    inputs = [
        helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", 16, 16, 3]),
        helper.make_tensor_value_info("static", TensorProto.FLOAT, ["n", "s", patient.WIDTH]),
    ]
    outputs = [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [])]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["cast"], ["seen"], keepdims=0),
        helper.make_node("ReduceSum", ["static"], ["told"], keepdims=0),
        helper.make_node("Add", ["seen", "told"], ["logit"]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    return path


def test_variants_are_told_with_size_and_machine(graph):
    small = graph.with_name("small.onnx")
    small.write_bytes(graph.read_bytes())
    found = time_variants({"float32": graph, "int8": small}, 16, threads=1, repeats=7)
    assert list(found) == ["float32", "int8"]
    for one in found.values():
        assert one.bytes == graph.stat().st_size
        assert one.n == 7
        assert one.threads == 1
        assert 0 < one.milliseconds.fastest <= one.milliseconds.median < 1000
        assert one.machine.cores >= 1
        assert one.machine.processor
        assert one.machine.onnxruntime.count(".") == 2
    json.dumps(msgspec.to_builtins(found), allow_nan=False)


def test_what_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(BundleError):
        time_variants({"float32": path}, 16, repeats=2)
