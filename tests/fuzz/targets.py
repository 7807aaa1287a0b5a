"""What is fuzzed: bytes in; nothing but an answer or an error of ours may come of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from melanoscope.errors import MelanoscopeError

from .choices import changed_record

MAX_PIXELS = 4_000_000
SIDE = 32


def decode(data: bytes) -> None:
    """Decode a photograph, and read its size alone; both must agree on it."""
    from melanoscope.imaging.decode import decode_image, image_dimensions

    try:
        decoded = decode_image(data, SIDE, max_pixels=MAX_PIXELS)
    except MelanoscopeError as error:
        check_line(error)
        read_head(data)
        return
    assert decoded.pixels.shape == (SIDE, SIDE, 3)
    assert decoded.pixels.dtype == np.uint8
    assert image_dimensions(data) == (decoded.width, decoded.height)


def read_head(data: bytes) -> None:
    from melanoscope.imaging.decode import image_dimensions

    try:
        width, height = image_dimensions(data)
    except MelanoscopeError as error:
        check_line(error)
        return
    assert width > 0
    assert height > 0


def read_table(data: bytes) -> None:
    """Read a table row by row, as `predict --table` does, then strictly, as archives are."""
    from melanoscope.tables.common_names import PATH_NAMES, PATIENT_NAMES
    from melanoscope.tables.table_file import open_table

    known = (*PATH_NAMES, *(name for names in PATIENT_NAMES.values() for name in names))
    path = folder() / "table.csv"
    path.write_bytes(data)
    try:
        table = open_table(path, known)
        for line, cells in table.rows(strict=False):
            assert line > 0
            if (fault := table.fault(line, cells)) is not None:
                check_line(fault)
        for _, cells in table.rows():
            assert len(cells) == len(table.columns)
    except MelanoscopeError as error:
        check_line(error)


def open_bundle(data: bytes) -> None:
    """Open a bundle whose record is `data`, or a whole record changed as `data` says."""
    from melanoscope.inference import bundle
    from melanoscope.inference.manifest import seal_of
    from melanoscope.inference.postprocess import PostProcessor

    record = whole_record()
    text = data[1:]
    if data[:1] > b"\x7f":
        changed = changed_record(record, text)
        try:
            # Sealed anew, as a stranger would: a seal finds damage, not malice.
            text = json.dumps(changed | {"seal": seal_of(changed)}).encode()
        except ValueError:  # NaN, which no seal covers
            text = json.dumps(changed).encode()
    (folder() / bundle.MANIFEST).write_bytes(text)
    try:
        opened = bundle.open_bundle(folder())
        PostProcessor.from_bundle(opened, "float32")
    except MelanoscopeError as error:
        check_line(error)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decoder": decode,
    "tables": read_table,
    "bundles": open_bundle,
}
# Packages whose branches are followed, and the modules that must be imported for that.
INSTRUMENTED = {
    "decoder": ["melanoscope.imaging", "PIL"],
    "tables": ["melanoscope.tables"],
    "bundles": ["melanoscope.inference"],
}
_PLUGINS = ("Jpeg", "Png", "WebP", "Tiff", "Bmp", "Avif", "Mpo")
MODULES = {
    "decoder": [
        *("melanoscope.imaging.decode", "melanoscope.imaging.dicom"),
        *(f"PIL.{name}ImagePlugin" for name in _PLUGINS),
    ],
    "tables": ["melanoscope.tables.table_file", "melanoscope.tables.common_names"],
    "bundles": ["melanoscope.inference.bundle", "melanoscope.inference.postprocess"],
}


def check_line(error: MelanoscopeError) -> None:
    """One line that a terminal prints and does not obey."""
    assert str(error).isprintable()
    assert len(str(error)) < 5_000


@cache
def folder() -> Path:
    """Make one folder for all that this process writes."""
    return Path(tempfile.mkdtemp(prefix="melanoscope-fuzz-"))


@cache
def whole_record() -> dict[str, Any]:
    """Write the files of a bundle; return its record."""
    import msgspec

    from melanoscope.inference.bundle import REQUIRED, file_entry
    from tests.inference.manifests import record_of

    for name in REQUIRED:
        (folder() / name).write_bytes(f"content of {name}".encode())
    files = {name: msgspec.to_builtins(file_entry(folder() / name)) for name in REQUIRED}
    why = {"gradient": {"why": "pooling in the way"}, "int8": {"why": "not asked for"}}
    graphs = {"model": {"file": "model.onnx"}} | why
    return record_of(int8=False) | {"files": files, "graphs": graphs}
