from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray

from melanoscope import patient
from melanoscope.export.onnx_model import INPUTS, OUTPUTS, export_model, write_onnx
from melanoscope.export.out_of_distribution import FeatureDistance
from melanoscope.models.lesion_net import LesionNet, to_images

from .lively import ALL_BACKBONES, PX, coloured, lively


def ask(
    path: Path, pixels: NDArray[np.uint8], rows: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return dict(
        zip(OUTPUTS, session.run(list(OUTPUTS), {"pixels": pixels, "static": rows}), strict=True)
    )


def draw(n: int, s: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    pixels = (coloured(n) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return pixels, np.random.default_rng(n).normal(size=(n, s, patient.WIDTH)).astype(np.float32)


def expected_of(
    network: LesionNet, pixels: NDArray[np.uint8], rows: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """What PyTorch answers, by the ways that training and report take."""
    images = to_images(torch.from_numpy(pixels))
    n, s, _ = rows.shape
    known = torch.from_numpy(rows)
    with torch.no_grad():
        parts = network.evidence(images, known[:, 0])
        said = np.stack(
            [network.evidence(images, known[:, row]).static.numpy() for row in range(s)], axis=1
        )
        return {
            "logit": network(images, known[:, 0]).numpy(),
            "evidence": parts.places.numpy(),
            "features": network.features(images).mean(dim=(2, 3)).numpy(),
            "static_evidence": said,
            "distance": np.zeros(n),
        }


@pytest.mark.parametrize("name", ALL_BACKBONES)
def test_answers_as_pytorch_does(name: str, tmp_path: Path) -> None:
    network, path = lively(name), tmp_path / "model.onnx"
    export_model(network, PX, path, None)
    for n, s in ((1, 1), (3, 8)):
        pixels, rows = draw(n, s)
        found, expected = ask(path, pixels, rows), expected_of(network, pixels, rows)
        for output in OUTPUTS:
            assert found[output].dtype == np.float32
            assert found[output].shape == expected[output].shape, output
            np.testing.assert_allclose(
                found[output], expected[output], rtol=1e-4, atol=1e-4, err_msg=output
            )
        whole = found["evidence"].sum((1, 2)) + found["static_evidence"][:, 0]
        bias = network.head.bias.item()
        np.testing.assert_allclose(whole + bias, found["logit"], rtol=1e-5, atol=1e-5)
        # Else a dead network would pass.
        assert n == 1 or np.ptp(found["evidence"].sum((1, 2))) > 1e-3
        assert s == 1 or np.ptp(found["static_evidence"], axis=1).min() > 1e-3


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[LesionNet, Path]:
    network = lively("standard_cnn")
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_model(network, PX, path, None)
    return network, path


def test_only_the_numbers_of_photographs_and_rows_are_open(small: tuple[LesionNet, Path]) -> None:
    graph = onnx.load(small[1]).graph
    sizes = {
        one.name: [d.dim_param or d.dim_value for d in one.type.tensor_type.shape.dim]
        for one in (*graph.input, *graph.output)
    }
    assert tuple(one.name for one in graph.input) == INPUTS
    assert tuple(one.name for one in graph.output) == OUTPUTS
    assert sizes["pixels"] == ["n", PX, PX, 3]
    assert sizes["static"] == ["n", "s", patient.WIDTH]
    pixels, rows = draw(2, 2)
    with pytest.raises(Exception, match="invalid dimensions"):
        ask(small[1], pixels[:, : PX // 2], rows)


def test_one_file_that_tells_nothing_of_the_machine(small: tuple[LesionNet, Path]) -> None:
    path = small[1]
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    content = path.read_bytes()
    for word in (str(Path.home()), str(Path.cwd()), "site-packages", ".py", "stack_trace"):
        assert word.encode() not in content, word
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert next(one.version for one in model.opset_import if one.domain == "") >= 18


def test_gives_the_same_bytes_again_and_says_nothing(
    small: tuple[LesionNet, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_model(small[0], PX, tmp_path / "again.onnx", None)
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == before
    assert (tmp_path / "again.onnx").read_bytes() == small[1].read_bytes()


@pytest.mark.parametrize("normalized", [False, True])
def test_distance_is_mahalanobis_under_the_implied_covariance(
    normalized: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    network, width, kept = lively("standard_cnn"), 11, 4
    novelty = FeatureDistance(
        mean=rng.normal(0, 0.1, width).astype(np.float32),
        components=np.linalg.qr(rng.normal(size=(width, kept)))[0].astype(np.float32),
        variances=rng.uniform(0.1, 2, kept).astype(np.float32),
        residual_variance=0.05,
        normalized=normalized,
    )
    export_model(network, PX, tmp_path / "model.onnx", novelty)
    found = ask(tmp_path / "model.onnx", *draw(5, 1))
    features = found["features"].astype(float)
    if normalized:
        features /= np.linalg.norm(features, axis=1, keepdims=True)
    basis = novelty.components.astype(float)
    covariance = basis @ np.diag(novelty.variances) @ basis.T + 0.05 * (
        np.eye(width) - basis @ basis.T
    )
    away = features - novelty.mean
    expected = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
    np.testing.assert_allclose(found["distance"], expected, rtol=1e-4)
    np.testing.assert_allclose(found["distance"], novelty.distance(found["features"]), rtol=1e-4)
    assert np.ptp(expected) > 1e-3


def test_a_network_of_the_photograph_alone_keeps_the_static_input(tmp_path: Path) -> None:
    network = lively("standard_cnn", with_static=False)
    export_model(network, PX, tmp_path / "model.onnx", None)
    pixels, rows = draw(3, 4)
    rows[0, 0] = np.nan  # passed over, not multiplied by 0
    found = ask(tmp_path / "model.onnx", pixels, rows)
    assert found["static_evidence"].shape == (3, 4)
    assert not found["static_evidence"].any()
    expected = expected_of(network, pixels, rows)
    np.testing.assert_allclose(found["logit"], expected["logit"], rtol=1e-4, atol=1e-5)


def test_nothing_is_left_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: bytes) -> None:
        with path.open("wb") as file:
            file.write(b"half")
        raise OSError("no space")

    monkeypatch.setattr(Path, "write_bytes", full)
    names = {"inputs": ["x"], "outputs": ["y"], "sizes": ({0: torch.export.Dim("n")},)}
    with pytest.raises(OSError, match="no space"):
        write_onnx(torch.nn.Linear(2, 2), (torch.zeros(2, 2),), tmp_path / "m.onnx", **names)
    assert not list(tmp_path.iterdir())
