"""An export that the machine refuses is no export of less; its temporary files lie beside it."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from melanoscope.errors import BundleError, RunError
from melanoscope.export import onnx_gradient
from melanoscope.export.onnx_file import working_folder
from melanoscope.export.onnx_gradient import export_gradient
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.models import lesion_net


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "a full disk"),
        (RuntimeError("SystemError : 28"), "a full disk"),
        (MemoryError(), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory"),
    ],
)
def test_a_gradient_that_finds_no_room_is_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, word: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        (tmp_path / "gradient.onnx").write_text("half")
        raise error

    monkeypatch.setattr(onnx_gradient, "record_gradient", lambda *_: None)
    monkeypatch.setattr(onnx_gradient, "write_onnx", refuse)
    network = lesion_net.fresh("standard_cnn")
    with pytest.raises(RunError, match=word):
        export_gradient(network, 32, tmp_path / "gradient.onnx")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(onnx_gradient, "write_onnx", lambda *_, **__: 1 / 0)
    with pytest.raises(BundleError, match="division by zero"):
        export_gradient(network, 32, tmp_path / "gradient.onnx")


def test_a_graph_that_finds_no_memory_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    def exhausted(*_: object, **__: object) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc")

    (tmp_path / "a.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError):
        OnnxModel(tmp_path / "a.onnx")
    monkeypatch.setattr(onnxruntime, "InferenceSession", exhausted)
    with pytest.raises(RuntimeError, match="bad_alloc"):
        OnnxModel(tmp_path / "a.onnx")


def test_libraries_put_their_temporary_files_beside_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tempfile.tempdir
    with working_folder(tmp_path) as folder, tempfile.TemporaryDirectory() as theirs:
        assert folder.parent == tmp_path
        assert Path(theirs).parent == folder
    assert tempfile.tempdir == before
    assert not list(tmp_path.iterdir())
    usage = namedtuple("usage", "total used free")
    for free, expected in ((100, OSError), (2**30, RuntimeError)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(2**40, 0, free))
        with pytest.raises(expected), working_folder(tmp_path):
            raise RuntimeError("INVALID_PROTOBUF : Protobuf serialization failed.")
        assert tempfile.tempdir == before
