"""The int8 variant: the same interface, the same sum, nearly the same answers, or refused."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from melanoscope import patient
from melanoscope.errors import StatisticsError
from melanoscope.export.onnx_model import OUTPUTS, export_model
from melanoscope.export.out_of_distribution import fit_feature_distance
from melanoscope.export.quantization import quantize

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


# Kept or refused.
