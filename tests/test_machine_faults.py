"""What the machine refuses is one line, in whichever words a library says it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from onnx import helper
from PIL import Image
from safetensors.torch import save_file

from melanoscope.atomic import atomic_path
from melanoscope.errors import DataError, RunError
from melanoscope.export.onnx_file import save_onnx
from melanoscope.machine_faults import explain_machine_faults, is_of_the_machine, machine_fault

from .machine import little_room

LINES = {
    errno.ENOSPC: ("room on the disk of", "full disk", "free some"),
    errno.EDQUOT: ("room on the disk of", "quota", "free some"),
    errno.EROFS: ("can be read and written to", "Read-only file system", "another folder"),
    errno.EACCES: ("can be read and written to", "Permission denied", "another folder"),
    errno.EPERM: ("can be read and written to", "not permitted", "another folder"),
    errno.EMFILE: ("files that can be opened", "Too many open files", "ulimit -n"),
    errno.EIO: ("a disk that answers", "Input/output error", "mount it again"),
    errno.ESTALE: ("a disk that answers", "Stale file handle", "mount it again"),
    errno.ENAMETOOLONG: ("a shorter path", "File name too long", "shorter name"),
    errno.EFBIG: ("files of any size", "File too large", "ulimit -f"),
    errno.ENOMEM: ("memory for", "too little", "--batch-size"),
}


@pytest.mark.parametrize("number", LINES)
@pytest.mark.parametrize(
    "said_by",
    [
        lambda n: OSError(n, os.strerror(n)),
        lambda n: OSError(f"{os.strerror(n)} (os error {n})"),
        lambda n: pl.exceptions.ComputeError(f"parquet: IO error: words (os error {n})"),
        lambda n: RuntimeError(f"SystemError : {n}"),
    ],
    ids=["Python", "Rust", "Polars", "ONNX Runtime"],
)
def test_each_fault_is_one_line_that_says_what_to_do(
    tmp_path: Path, number: int, said_by: Callable[[int], Exception]
) -> None:
    with pytest.raises(RunError) as caught, explain_machine_faults(tmp_path):
        raise said_by(number)
    line = str(caught.value)
    assert all(word in line for word in LINES[number]), line
    assert "\n" not in line
    assert number == errno.ENOMEM or "opened" in line or str(tmp_path) in line


def test_faults_of_ours_pass(tmp_path: Path) -> None:
    for error in (ValueError("a bug"), FileNotFoundError(errno.ENOENT, "no"), KeyError("28")):
        with pytest.raises(type(error)), explain_machine_faults(tmp_path):
            raise error
    with pytest.raises(DataError), explain_machine_faults(tmp_path):
        raise DataError("a", "b (os error 28)", "c")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate"),
        RuntimeError("could not create a primitive"),  # oneDNN, whose workspace found no room
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("can't start new thread"),
        RuntimeError("[ONNXRuntimeError] : 6 : std::bad_alloc"),
    ],
)
def test_too_little_memory_is_said(error: Exception) -> None:
    assert "memory" in str(machine_fault(error))


def test_a_tensor_and_an_array_without_room() -> None:
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(2**55, dtype=torch.uint8)
    with pytest.raises(MemoryError) as of_numpy:
        np.ones(2**50, np.uint8)
    assert all("memory" in str(machine_fault(caught.value)) for caught in (of_torch, of_numpy))


def test_only_faults_that_any_other_file_would_meet_are_the_machines() -> None:
    ours = [OSError(n, "") for n in (errno.EMFILE, errno.EIO, errno.ESTALE)]
    assert all(is_of_the_machine(error) for error in ours)
    of_the_file = [FileNotFoundError(errno.ENOENT, ""), PermissionError(errno.EACCES, "")]
    assert not any(is_of_the_machine(error) for error in [*of_the_file, ValueError("28")])


def _numbers(n: int = 30_000) -> Any:
    return np.random.default_rng(0).random(n)


def _onnx(path: Path) -> None:
    tensor = helper.make_tensor("a", 1, [30_000], _numbers().astype(np.float32).tobytes(), raw=True)
    node = helper.make_node("Identity", ["a"], ["b"])
    value = helper.make_tensor_value_info("b", 1, [30_000])
    save_onnx(helper.make_model(helper.make_graph([node], "g", [], [value], [tensor])), path)


def _image(path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


WRITERS: dict[str, Callable[[Path], None]] = {
    "text": lambda path: path.write_text("x" * 100_000) and None,
    "csv": lambda path: pl.DataFrame({"a": _numbers()}).write_csv(path),
    "parquet": lambda path: pl.DataFrame({"a": _numbers()}).write_parquet(path),
    "safetensors": lambda path: save_file({"a": torch.rand(30_000)}, path),
    "onnx": _onnx,
    "image": _image,
}


@pytest.mark.parametrize("writer", WRITERS)
def test_each_library_that_runs_out_of_room_leaves_the_file_of_before(
    tmp_path: Path, writer: str
) -> None:
    file = tmp_path / "file"
    file.write_text("of before")

    def write() -> None:
        with atomic_path(file) as partial:
            WRITERS[writer](partial)

    with little_room(), pytest.raises(OSError, match="File too large") as caught:
        write()
    assert caught.value.errno == errno.EFBIG
    assert str(caught.value.filename) == str(file)
    assert "ulimit -f" in str(machine_fault(caught.value))
    assert file.read_text() == "of before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    write()
    assert file.read_bytes() != b"of before"
