"""A bundle that is not whole is refused, in one line."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoscope.errors import BundleError
from melanoscope.inference.bundle import MANIFEST, REQUIRED, file_entry, open_bundle
from melanoscope.inference.manifest import SCHEMA, seal_of

from .manifests import record_of


def write_bundle(folder, **changes):
    """Write a bundle whose files are no graphs: opening looks at bytes only."""
    folder.mkdir(exist_ok=True)
    for name in REQUIRED:
        (folder / name).write_bytes(f"content of {name}".encode() * 3)
    record = record_of(int8=False) | {"files": {name: entry_of(folder / name) for name in REQUIRED}}
    record["graphs"] = graphs_of("model.onnx")
    write_record(folder, record | changes)
    return folder


def graphs_of(name):
    return {
        "model": {"file": name},
        "gradient": {"why": "pooling in the way"},
        "int8": {"why": "not asked for"},
    }


def entry_of(path):
    return msgspec.to_builtins(file_entry(path))


def write_record(folder, record):
    (folder / MANIFEST).write_text(json.dumps(record | {"seal": seal_of(record)}, indent=1))


def refused(folder) -> str:
    with pytest.raises(BundleError) as caught:
        open_bundle(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    return write_bundle(tmp_path / "bundle")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("kept") / "bundle")


def test_a_whole_bundle_opens(folder):
    bundle = open_bundle(str(folder))
    assert bundle.image_size == 64
    assert bundle.graph("model") == folder / "model.onnx"
    assert not bundle.manifest.data.simulated
    assert len(bundle.fingerprint) == 64


def test_a_graph_that_is_not_there_says_why(folder):
    bundle = open_bundle(folder)
    with pytest.raises(BundleError, match="pooling in the way"):
        bundle.graph("gradient")
    with pytest.raises(BundleError, match="not asked for"):
        bundle.graph("int8")


@pytest.mark.parametrize("name", REQUIRED)
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_changed_bit_of_a_file_is_refused(kept, name, data):
    path = kept / name
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    bit = data.draw(st.integers(0, 7))
    try:
        path.write_bytes(before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :])
        assert f"'{name}' as it was exported" in refused(kept)
    finally:
        path.write_bytes(before)


@given(data=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_record_is_refused_or_means_the_same(kept, data):
    path = kept / MANIFEST
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    to = data.draw(st.integers(32, 126).filter(lambda c: c != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([to]) + before[at + 1 :])
        try:
            same = json.loads(path.read_bytes()) == json.loads(before)
        except ValueError:
            same = False
        if not same:  # white space may change, as JSON lets it
            refused(kept)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    assert f"expected a file '{name}'" in refused(folder)


def test_a_truncated_file_is_refused(folder):
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:-1])
    line = refused(folder)
    assert "'model.onnx' as it was exported" in line
    assert "torn off after" in line


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"


@pytest.mark.parametrize("name", [*REQUIRED, MANIFEST])
@pytest.mark.parametrize(
    ("content", "words"),
    [(POINTER, "git lfs pull"), (b"<!doctype html><html>", "web page"), (b"", "empty file")],
)
def test_what_lies_there_instead_is_named(folder, name, content, words):
    (folder / name).write_bytes(content)
    line = refused(folder)
    assert f"{name}'" in line
    assert words in line


def test_a_newer_schema_asks_for_a_newer_melanoscope(folder):
    write_bundle(folder, schema=SCHEMA + 1)
    assert "update melanoscope" in refused(folder)


@pytest.mark.parametrize("schema", [0, "1", None, 1.5, [1]])
def test_no_other_schema_is_read(folder, schema):
    write_bundle(folder, schema=schema)
    assert "schema" in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"schema"', "{}", "\x00", "[" * 100_000])
def test_what_is_no_record_is_refused(folder, text):
    (folder / MANIFEST).write_text(text)
    assert "a bundle's record" in refused(folder)


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/hostname", "sub/x", "..", ""])
def test_files_outside_the_folder_are_refused(folder, name):
    entries = {one: entry_of(folder / one) for one in REQUIRED}
    write_bundle(folder, files=entries | {name: entries["model.onnx"]})
    assert "plain files" in refused(folder)


@pytest.mark.parametrize("files", [[], 3, None, {"model.onnx": 1}, {"model.onnx": {"bytes": "3"}}])
def test_entries_of_other_kinds_are_refused(folder, files):
    write_bundle(folder, files=files)
    assert re.search(r"found Expected .* at `\$\.files|found Object missing", refused(folder))


def test_a_graph_that_is_not_named_is_not_run(folder):
    (folder / "other.onnx").write_text("x")
    bundle = open_bundle(write_bundle(folder, graphs=graphs_of("other.onnx")))
    with pytest.raises(BundleError, match="its file is not named"):
        bundle.graph("model")


def test_a_record_that_names_too_few_files_is_refused(folder):
    write_bundle(folder, files={"model.onnx": entry_of(folder / "model.onnx")})
    assert "no 'weights.safetensors'" in refused(folder)


def test_no_bundle_is_refused(tmp_path):
    assert "no such folder" in refused(tmp_path / "absent")
    assert "no bundle.json in it" in refused(tmp_path)
    (tmp_path / "file").write_text("x")
    assert "no such folder" in refused(tmp_path / "file")


def test_numbers_that_are_none_are_no_record(folder):
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"prevalence": 0', '"prevalence": NaN, "x": 0', 1))
    assert "a bundle's record" in refused(folder)


def test_a_record_that_is_sealed_but_not_whole_is_refused(folder):
    write_record(folder, {key: value for key, value in record_of().items() if key != "gate"})
    assert "missing required field `gate`" in refused(folder)
