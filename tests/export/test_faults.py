"""Faults of the machine while exporting: nothing half done is taken for a bundle."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil

import numpy as np
import pytest

from melanoscope.atomic import atomic_folder
from melanoscope.errors import BundleError, RunError, SignatureError, StatisticsError
from melanoscope.export import bundle_writer, onnx_gradient
from melanoscope.export.bundle_writer import ExportSettings, write_bundle
from melanoscope.export.outputs import run_graph
from melanoscope.inference.bundle import MANIFEST, SIGNATURE, open_bundle
from melanoscope.locks import LockedError
from melanoscope.models import lesion_net
from melanoscope.signing.keys import make_keys, read_public_key, read_secret_key

FULL = OSError(errno.ENOSPC, "No space left on device")


def wrapped(cause):
    """An error as exporters wrap what they meet."""
    try:
        raise ValueError("Failed to export the model") from cause
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("cause", "error", "said"),
    [
        *((one, RunError, "room on the disk") for one in (FULL, wrapped(FULL))),
        (wrapped(wrapped(FULL)), RunError, "room on the disk"),
        # What ONNX cannot express.
        (wrapped(NotImplementedError("no such operator")), BundleError, "evidence only"),
    ],
)
def test_a_full_disk_is_not_taken_for_a_network_without_gradient(
    tmp_path, monkeypatch, cause, error, said
):
    def fail(*_args, **_options):
        raise cause

    monkeypatch.setattr(onnx_gradient, "record_gradient", lambda *_: None)
    monkeypatch.setattr(onnx_gradient, "write_onnx", fail)
    network = lesion_net.fresh("squeezenet1_1", with_static=False)
    with pytest.raises(error, match=said):
        onnx_gradient.export_gradient(network, 64, tmp_path / "gradient.onnx")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(_model, folder, *_):
        (folder / "model.onnx").write_bytes(b"half")
        raise FULL

    monkeypatch.setattr(bundle_writer, "_write_graphs", fail)
    with pytest.raises(RunError, match="room on the disk"):
        write_bundle(None, tmp_path / "out", ExportSettings())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("output", ["logit", "distance"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_network_without_numbers_is_not_exported(small_subject, output, value):
    def graph(pixels, static):
        said = {name: np.zeros(len(pixels)) for name in ("logit", "distance")}
        said[output][-1] = value
        return said

    rows = small_subject.split.test[:3]
    with pytest.raises(StatisticsError, match="NaN or infinity for 1 of 3"):
        run_graph(graph, small_subject, rows)


@pytest.fixture
def copied(small_bundle, monkeypatch):
    """Exporting copies a finished bundle instead of making its graphs."""

    def copy(_model, folder, *_):
        manifest = open_bundle(small_bundle).manifest
        for name in manifest.files:
            if name != "MODEL_CARD.md":
                shutil.copy(small_bundle / name, folder / name)
        return manifest

    monkeypatch.setattr(bundle_writer, "_write_graphs", copy)


def test_a_bundle_is_signed(copied, tmp_path):
    pytest.importorskip("cryptography")
    public = read_public_key(str(make_keys(tmp_path / "my.key", "")))
    settings = ExportSettings(sign=read_secret_key(tmp_path / "my.key", str))
    write_bundle(None, tmp_path / "out", settings)
    assert open_bundle(tmp_path / "out", trust=public).manifest.files
    write_bundle(None, tmp_path / "unsigned", ExportSettings())
    with pytest.raises(SignatureError, match=f"no {SIGNATURE}"):
        open_bundle(tmp_path / "unsigned", trust=public)


def test_an_empty_folder_is_replaced_and_leftovers_are_removed(copied, tmp_path):
    out, left = tmp_path / "out", tmp_path / ".out.partial"
    out.mkdir()
    (left / "sub").mkdir(parents=True)
    (left / "sub" / "old").write_text("old")
    (left / "old.onnx").write_text("old")
    write_bundle(None, out, ExportSettings())
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert not (out / "old.onnx").exists()
    assert not (out / "sub").exists()


class Stop(BaseException):
    """As a signal stops a command."""


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, BundleError("a", "b", "c")])
def test_what_stops_an_export_leaves_nothing(tmp_path, error):
    def export():
        with atomic_folder(tmp_path / "out") as one:
            (one / MANIFEST).write_text("{}")
            raise error

    with pytest.raises((Stop, KeyboardInterrupt, BundleError)):
        export()
    assert not list(tmp_path.iterdir())


def _export_in_another(out, ready, end):
    with atomic_folder(out) as folder:
        (folder / "theirs").write_text("theirs")
        ready.set()
        end.wait(60)


def test_two_exports_to_one_folder_do_not_collide(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()
    other = context.Process(target=_export_in_another, args=(tmp_path / "out", ready, end))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(LockedError, match=f"process {other.pid}"):
            atomic_folder(tmp_path / "out").__enter__()
    finally:
        end.set()
        other.join(60)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


def test_a_killed_export_holds_no_lock(tmp_path):
    pid = os.fork()
    if not pid:
        atomic_folder(tmp_path / "out").__enter__()
        os._exit(9)
    os.waitpid(pid, 0)
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "ours").write_text("ours")
    assert (tmp_path / "out" / "ours").exists()
