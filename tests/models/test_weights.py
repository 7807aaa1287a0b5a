from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch

from melanoscope.errors import WeightsError
from melanoscope.models import weights
from melanoscope.models.backbones import get_backbone
from melanoscope.models.tensor_file import read_tensors


class Trap:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    torch.save({"a": Trap(sprung)}, tmp_path / "resnet18.pth")
    with pytest.raises(WeightsError):
        weights.load_pretrained(get_backbone("resnet18"), tmp_path)
    assert not sprung.exists()


def test_pth_under_torchvisions_names_loads(tmp_path: Path) -> None:
    torch.manual_seed(3)
    backbone = get_backbone("squeezenet1_1")
    state = backbone.build().state_dict()
    torch.save(state, tmp_path / "squeezenet1_1.pth")
    loaded = weights.load_pretrained(backbone, tmp_path).state_dict()
    assert all(torch.equal(loaded[n], t) for n, t in state.items())


@pytest.mark.parametrize("content", [b"", b"not tensors at all"])
def test_broken_files_are_refused(tmp_path: Path, content: bytes) -> None:
    for suffix in (".pth", ".safetensors"):
        path = tmp_path / f"resnet18{suffix}"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="resnet18"):
            read_tensors(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    state = get_backbone("squeezenet1_1").build().state_dict()
    torch.save(state, tmp_path / "mobilenet_v2.pth")
    with pytest.raises(WeightsError, match=r"features\.0\.0\.weight"):
        weights.load_pretrained(get_backbone("mobilenet_v2"), tmp_path)


def test_never_silently_from_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match=r"resnet18\.safetensors"):
        weights.load_pretrained(get_backbone("resnet18"), tmp_path)
    with pytest.raises(WeightsError, match="no folder"):
        weights.load_pretrained(get_backbone("resnet18"), tmp_path / "absent")
    with pytest.raises(WeightsError, match="scratch"):
        weights.load_pretrained(get_backbone("standard_cnn"), tmp_path)

    def offline(*args: object, **kwargs: object) -> None:
        assert kwargs["check_hash"]
        assert kwargs["weights_only"]
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(WeightsError, match="download"):
        weights.load_pretrained(get_backbone("resnet18"), None)


def test_a_changed_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.zeros(1)}, path)
    monkeypatch.setattr(weights, "_packaged", lambda _: path)
    with pytest.raises(WeightsError, match="sha256"):
        weights.load_pretrained(get_backbone("tf_efficientnet_lite0"), None)
