"""Weights as people have them: names, wrappers, heads, containers; and what is no weights."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from melanoscope.errors import WeightsError
from melanoscope.models import lesion_net
from melanoscope.models.backbones import get_backbone
from melanoscope.models.tensor_file import read_tensors
from melanoscope.models.trunk import fit_to_trunk
from melanoscope.models.weights import find_weights, load_pretrained

BACKBONE = get_backbone("squeezenet1_1")
State = dict[str, Tensor]

# Words of PyTorch and safetensors that are no help to a person here, or bad advice.
ADVICE = re.compile(
    r"weights_only|safe_globals|torch\.load|Pytorch|pickle_module|github\.com|Traceback|trust|"
    r"HeaderTooLarge|MetadataIncomplete|arbitrary code|docs",
)


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(7)
    return BACKBONE.build().state_dict()


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(WeightsError) as caught:
        load_pretrained(BACKBONE, folder)
    line = str(caught.value)
    assert "\n" not in line
    assert not ADVICE.search(line.replace(str(folder), "")), line
    for word in words:
        assert word in line, line
    return line


def trunk_of(network: nn.Module) -> State:
    return BACKBONE.cut(network).state_dict()


def same_trunk(folder: Path, state: State) -> None:
    whole = BACKBONE.build()
    whole.load_state_dict(state)
    expected, found = trunk_of(whole), trunk_of(load_pretrained(BACKBONE, folder))
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def other_head(state: State, classes: int) -> State:
    return {
        **state,
        "classifier.1.weight": torch.rand(classes, 512, 1, 1),
        "classifier.1.bias": torch.rand(classes),
    }


SHAPES: dict[str, Callable[[State], Any]] = {
    "as torchvision has it": lambda s: s,
    "without head": lambda s: {n: t for n, t in s.items() if n.startswith("features")},
    "head of two classes": lambda s: other_head(s, 2),
    "a head of another name": lambda s: {
        **s,
        "fc.weight": torch.rand(9),
        "aux1.conv.weight": torch.rand(3),
    },
    "state_dict": lambda s: {"state_dict": s, "epoch": 3, "best": 0.9},
    "model": lambda s: {
        "model": s,
        "optimizer": {"lr": 0.1, "state": {0: {"step": torch.ones(1)}}},
    },
    "model_state_dict": lambda s: {"model_state_dict": s, "loss": 1.0},
    "net": lambda s: {"net": s, "acc": 93.1},
    "DataParallel": lambda s: prefixed(s, "module."),
    "compiled": lambda s: {"model": prefixed(s, "_orig_mod.")},
    "both": lambda s: {"state_dict": prefixed(s, "module._orig_mod.")},
    "Lightning": lambda s: {
        "state_dict": {**prefixed(s, "model."), "criterion.weight": torch.ones(2)}
    },
    "own head beside": lambda s: {**prefixed(s, "backbone."), "head.weight": torch.rand(1, 4)},
    "a key of another name": lambda s: {"ema_state_dict": s, "optimizer": {"state": {}}},
    "nested twice": lambda s: {"checkpoint": {"state_dict": s}, "epoch": 3},
    "a prefix of another name": lambda s: prefixed(s, "encoder.0."),
    "numbers among tensors": lambda s: {**s, "epoch": 3, "note": "x", "none": None},
    "of a network and its average": lambda s: {"n": torch.ones(1), "params": s},
    "an ordered dict": lambda s: __import__("collections").OrderedDict(s),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_people_save_gives_the_same_trunk(tmp_path: Path, state: State, shape: str) -> None:
    torch.save(SHAPES[shape](state), tmp_path / "squeezenet1_1.pth")
    same_trunk(tmp_path, state)


@pytest.mark.parametrize(
    "name",
    [
        "SqueezeNet1_1.PTH",
        "squeezenet1_1.pt",
        "squeezenet1_1.bin",
        "squeezenet1_1.ckpt",
        "squeezenet1_1.pth.tar",
        "hub/checkpoints/squeezenet1_1.pth",
        "squeezenet1_1.safetensors",
    ],
)
def test_names_people_give(tmp_path: Path, state: State, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)  # also under .safetensors: what a file holds decides
    same_trunk(tmp_path, state)


def test_content_decides_not_the_suffix(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "squeezenet1_1.pth")
    same_trunk(tmp_path, state)


def test_the_old_format_of_pytorch(tmp_path: Path, state: State) -> None:
    torch.save(state, tmp_path / "squeezenet1_1.pth", _use_new_zipfile_serialization=False)
    same_trunk(tmp_path, state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_formats_become_float32(
    tmp_path: Path, state: State, dtype: torch.dtype
) -> None:
    halved = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_file(halved, tmp_path / "squeezenet1_1.safetensors")
    found, _ = find_weights(BACKBONE, tmp_path)
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    assert all(torch.equal(found[name], halved[name].float()) for name in halved)


# --- torchvision's own names


def _as_torchvision(folder: Path, content: bytes, stem: str = "squeezenet1_1") -> Path:
    path = folder / f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    path.write_bytes(content)
    return path


def _saved(state: Any) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def test_torchvisions_own_file_is_found_and_its_hash_checked(tmp_path: Path, state: State) -> None:
    path = _as_torchvision(tmp_path, _saved(state))
    same_trunk(tmp_path, state)
    path.rename(tmp_path / "squeezenet1_1-b8a52dc0.pth")
    refused(tmp_path, "sha256", "b8a52dc0")


@pytest.mark.parametrize(
    ("backbone", "stem"),
    [
        ("mnasnet0_5", "mnasnet0.5_top1_67.823"),
        ("shufflenet_v2_x0_5", "shufflenetv2_x0.5"),
        ("efficientnet_b0", "efficientnet_b0_rwightman"),
    ],
)
def test_names_that_are_not_the_backbones(tmp_path: Path, backbone: str, stem: str) -> None:
    entry = get_backbone(backbone)
    path = _as_torchvision(tmp_path, _saved(entry.build().state_dict()), stem)
    assert find_weights(entry, tmp_path)[1] == str(path)


def test_vgg_of_another_normalization_is_no_candidate(tmp_path: Path) -> None:
    (tmp_path / "vgg16_features-amdegroot-88682ab5.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match="vgg16_features-amdegroot"):
        find_weights(get_backbone("vgg16"), tmp_path)


def test_a_broken_file_in_the_hubs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # torch.hub compares hashes when it downloads and never again.
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth").write_bytes(
        _saved({"a": torch.ones(1)})
    )
    with pytest.raises(WeightsError, match="sha256"):
        load_pretrained(BACKBONE, None)


def test_densenets_old_names(tmp_path: Path) -> None:
    entry = get_backbone("densenet121")
    state = entry.build().state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", n): t for n, t in state.items()
    }
    assert old.keys() != state.keys()
    found, _ = fit_to_trunk(entry, old, "file")
    assert all(torch.equal(found[n], state[n]) for n in found)
    assert "features.denseblock1.denselayer1.norm1.weight" in found


def test_several_files_of_the_same_tensors_are_one(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "squeezenet1_1.safetensors")
    _as_torchvision(tmp_path, _saved({"state_dict": other_head(prefixed(state, "module."), 2)}))
    same_trunk(tmp_path, state)
    changed = {n: t + 1 if n == "features.3.squeeze.bias" else t for n, t in state.items()}
    torch.save(changed, tmp_path / "squeezenet1_1.pt")
    refused(tmp_path, "squeezenet1_1-", "squeezenet1_1.pt'", "differ")


# --- what is refused


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_no_number_is_refused_by_name(
    tmp_path: Path, state: State, value: float
) -> None:
    broken = {name: tensor.clone() for name, tensor in state.items()}
    broken["features.7.squeeze.weight"].view(-1)[5] = value
    save_file(broken, tmp_path / "squeezenet1_1.safetensors")
    refused(tmp_path, "features.7.squeeze.weight", "NaN or infinity")
    # What is cut off need not be whole.
    (tmp_path / "squeezenet1_1.safetensors").unlink()
    head = {**state, "classifier.1.bias": torch.full((1000,), value)}
    torch.save(head, tmp_path / "squeezenet1_1.pth")
    same_trunk(tmp_path, state)


def test_a_negative_variance_is_refused_by_name() -> None:
    entry = get_backbone("shufflenet_v2_x0_5")
    state = entry.build().state_dict()
    state["conv1.1.running_var"][3] = -1
    with pytest.raises(WeightsError, match=r"-1 in 'conv1\.1\.running_var'"):
        fit_to_trunk(entry, state, "file")


LATE = "features.12.squeeze.weight"
TENSORS: dict[str, tuple[Callable[[State], State], tuple[str, ...]]] = {
    "missing": (lambda s: {n: t for n, t in s.items() if n != LATE}, (LATE, "missing")),
    "shape": (
        lambda s: {**s, "features.0.weight": torch.rand(64, 1, 3, 3)},
        ("features.0.weight", "(64, 1, 3, 3)"),
    ),
    "stranger": (lambda s: {**s, "features.0.se.weight": torch.rand(3)}, ("features.0.se.weight",)),
    "zeros": (lambda s: {**s, LATE: torch.zeros_like(s[LATE])}, (LATE, "zeros only")),
    "integers": (
        lambda s: {**s, "features.0.weight": torch.ones(64, 3, 3, 3, dtype=torch.int8)},
        ("features.0.weight", "int8"),
    ),
    "sparse": (
        lambda s: {**s, "features.0.weight": s["features.0.weight"].to_sparse()},
        ("features.0.weight", "sparse"),
    ),
    "timm": (
        lambda _: {"conv_stem.weight": torch.rand(3), "blocks.0.0.conv_pw.weight": torch.rand(3)},
        ("timm",),
    ),
    "transformers": (
        lambda _: {"resnet.embedder.embedder.convolution.weight": torch.rand(3)},
        ("transformers",),
    ),
    "nothing": (lambda _: {}, ("no tensor at all",)),
    "shapes alone": (lambda s: {n: t.to("meta") for n, t in s.items()}, ("its shape alone",)),
    "two networks": (
        lambda s: {**prefixed(s, "q."), **{f"k.{n}": t + 1 for n, t in s.items()}},
        ("two networks', under 'k.' and 'q.'",),
    ),
    "half a prefix": (
        lambda s: {("module." if i % 2 else "") + n: t for i, (n, t) in enumerate(s.items())},
        ("missing",),
    ),
    "nearest": (
        lambda s: {n.replace("squeeze", "squeeze_"): t for n, t in s.items()},
        ("features.3.squeeze_.weight",),
    ),
}


@pytest.mark.parametrize("fault", TENSORS)
def test_tensors_that_do_not_fit(tmp_path: Path, state: State, fault: str) -> None:
    change, words = TENSORS[fault]
    torch.save(change(state), tmp_path / "squeezenet1_1.pth")
    refused(tmp_path, *words)


class Own:
    """Some class of a training script."""


OBJECTS: dict[str, tuple[Callable[[State], Any], str]] = {
    "whole network": (lambda _: BACKBONE.build(), "not executed"),
    "options beside": (
        lambda s: {"state_dict": s, "args": argparse.Namespace(lr=1)},
        "argparse.Namespace",
    ),
    "class": (lambda s: {**s, "x": Own()}, "not executed"),
    "numpy": (lambda s: {"state_dict": s, "best": np.float64(3)}, "not executed"),
    "code": (lambda _: {"a": eval}, "not executed"),
    "a tensor": (lambda _: torch.ones(3), "Tensor"),
    "a list": (lambda s: list(s.values()), "list"),
    "numbers": (lambda _: {"epoch": 3}, "no tensor, but 'epoch'"),
    "teacher": (lambda s: {"student": s, "teacher": s}, "'student' and 'teacher'"),
    "two": (lambda s: {"model": s, "net": s}, "'model' and 'net'"),
    "numbered": (lambda s: dict(enumerate(s.values())), "a tensor under 0"),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("fault", OBJECTS)
def test_pickles_that_hold_other_things(
    tmp_path: Path, state: State, fault: str, legacy: bool
) -> None:
    make, word = OBJECTS[fault]
    path = tmp_path / "squeezenet1_1.pth"
    torch.save(make(state), path, _use_new_zipfile_serialization=not legacy)
    refused(tmp_path, word)


def _zip_of(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x" * 400)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    return file.getvalue()


POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 4946880\n"
)
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "pointer": (lambda: POINTER, "git lfs pull"),
    "page": (lambda: b"<!DOCTYPE html>\n<html><head><title>Sign in", "web page"),
    "denied": (lambda: b"<?xml version='1.0'?><Error><Code>AccessDenied", "XML"),
    "empty": (lambda: b"", "empty"),
    "zeros": (lambda: bytes(5000), "zeros"),
    "zip": (lambda: _zip_of("squeezenet1_1.pth"), "zip"),
    "tar": (_tar, "tar"),
    "gzip": (lambda: gzip.compress(_saved({})), "gzip"),
    "keras": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(600), "HDF5"),
    "photograph": (lambda: b"\xff\xd8\xff\xe0" + bytes(600), "JPEG"),
    "text": (lambda: b"these are the weights", "another kind"),
    "script": (lambda: _zip_of("net/constants.pkl"), "TorchScript"),
    "odd pickle": (lambda: b"\x80\x02X\x03\0\0\0abcq\0.", "file"),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("fault", FILES)
def test_files_that_are_something_else(tmp_path: Path, fault: str, suffix: str) -> None:
    make, word = FILES[fault]
    (tmp_path / f"squeezenet1_1{suffix}").write_bytes(make())
    refused(tmp_path, word)
    # A run's checkpoint goes through the same reader.
    with pytest.raises(WeightsError, match=word):
        lesion_net.from_checkpoint("squeezenet1_1", tmp_path / f"squeezenet1_1{suffix}")


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
@pytest.mark.parametrize("share", [0.0005, 0.3, 0.999])
def test_torn_files(tmp_path: Path, state: State, kind: str, share: float) -> None:
    path = tmp_path / "squeezenet1_1.pth"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(tmp_path, "copy or download")


def test_a_folder_under_the_files_name_and_a_file_as_the_folder(
    tmp_path: Path, state: State
) -> None:
    (tmp_path / "squeezenet1_1.pth").mkdir()
    refused(tmp_path, "neither")
    path = tmp_path / "w.pth"
    torch.save(state, path)
    refused(path, "a file at", "name the folder")
    refused(tmp_path, "w.pth")
    with pytest.raises(WeightsError, match="no file"):
        read_tensors(tmp_path / "absent.safetensors")
    with pytest.raises(WeightsError, match="folder"):
        read_tensors(tmp_path)


def test_a_checkpoint_with_nan_is_refused(tmp_path: Path) -> None:
    network = lesion_net.fresh("standard_cnn")
    tensors = {n: t.clone() for n, t in network.state_dict().items()}
    tensors["head.weight"][0, 3] = float("nan")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"head\.weight"):
        lesion_net.from_checkpoint("standard_cnn", tmp_path / "model.safetensors")
