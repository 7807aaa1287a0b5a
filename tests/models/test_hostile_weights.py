"""Weights from strangers: one line, bounded memory, whatever the file says of itself."""

from __future__ import annotations

import json
import os
import re
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from melanoscope.errors import MelanoscopeError, WeightsError
from melanoscope.models.backbones import get_backbone
from melanoscope.models.tensor_file import read_tensors
from melanoscope.models.weights import find_weights

BACKBONE = get_backbone("squeezenet1_1")
MIB = 2**20


def _safetensors(path: Path, header: object, size: int = 0) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + size)


def _tensor(shape: list[int], size: int, dtype: str = "F32") -> dict[str, object]:
    return {"features.0.weight": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}


def _sparse(path: Path) -> None:
    size = 100 * 2**30
    _safetensors(path, _tensor([size // 4], size), size)


def _long_header(path: Path) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2**40) + b'{"a"')
        file.truncate(2**20)


def _deep_header(path: Path) -> None:
    _safetensors(path, b'{"a":' + b"[" * 10**6)


def _packed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}q\0.")
        archive.writestr("a/data/0", bytes(MIB))
        archive.writestr("a/data/1", bytes(MIB))
    content = path.read_bytes()
    # The directory says of each entry that it unpacks to 4 GiB.
    for entry in re.finditer(rb"PK\x01\x02", content):
        at = entry.start() + 24
        content = content[:at] + struct.pack("<I", 2**32 - 2) + content[at + 4 :]
    path.write_bytes(content)


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "100 GiB of holes": (_sparse, "100.0 GiB"),
    "a header that is longer than the file": (_long_header, "at '"),
    "a header nested a million times": (_deep_header, "at '"),
    "tensors that lie on each other": (
        lambda p: _safetensors(
            p, {"a": _tensor([4], 16)["features.0.weight"], **_tensor([4], 16)}, 16
        ),
        "torn or broken",
    ),
    "offsets beyond the end": (lambda p: _safetensors(p, _tensor([2**28], 2**30), 64), "broken"),
    "a shape that overflows": (
        lambda p: _safetensors(p, _tensor([2**62, 2**62], 0), 0),
        "torn or broken",
    ),
    "a negative shape": (lambda p: _safetensors(p, _tensor([-4], 16), 16), "torn or broken"),
    "an unknown number format": (lambda p: _safetensors(p, _tensor([4], 16, "F33"), 16), "broken"),
    "a small file that unpacks to many GiB": (_packed, "GiB"),
    "a link to itself": (_circle, "symbolic links"),
    "a pipe": (_pipe, "squeezenet1_1"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_one_line_and_bounded_memory(tmp_path: Path, fault: str) -> None:
    make, word = HOSTILE[fault]
    path = tmp_path / "squeezenet1_1.pth"
    make(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = []
    for read in (lambda: read_tensors(path), lambda: find_weights(BACKBONE, tmp_path)):
        try:
            read()
        except MelanoscopeError as error:
            lines.append(str(error))
    assert len(lines) == 2
    assert word in lines[0], lines
    assert "\n" not in "".join(lines)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 300, f"{grown:.0f} MiB"


def test_a_whole_file_is_still_read(tmp_path: Path) -> None:
    save_file({"a": torch.ones(3)}, tmp_path / "a.safetensors")
    assert read_tensors(tmp_path / "a.safetensors")["a"].tolist() == [1, 1, 1]
    with pytest.raises(WeightsError):
        find_weights(BACKBONE, tmp_path)
