from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoscope.file_kinds import HEAD, FileKind, detect_file_kind, read_file_kind

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def _archive(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.csv", "image,target\n")
    elif kind == "empty zip":
        zipfile.ZipFile(file, "w").close()
    else:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO())
    return file.getvalue()


def _array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, kind)
    return file.getvalue()


MADE: dict[str, tuple[Callable[[], bytes], FileKind]] = {
    "nothing": (lambda: b"", FileKind.EMPTY),
    "zeros": (lambda: bytes(4096), FileKind.ZEROS),
    "git-lfs": (lambda: POINTER, FileKind.LFS_POINTER),
    "git-annex": (lambda: b"/annex/objects/SHA256E-s1--ab.jpg\n", FileKind.ANNEX_POINTER),
    "page": (lambda: b"\xef\xbb\xbf\n<!DOCTYPE HTML PUBLIC>\n<title>404", FileKind.HTML),
    "html": (lambda: b"\n <HTML lang='en'><body>Sign in", FileKind.HTML),
    "comment": (lambda: b"<!-- x --><!doctype html>", FileKind.HTML),
    "xhtml": (lambda: b"<?xml version='1.0'?><html xmlns='x'>", FileKind.HTML),
    "denied": (lambda: b"<?xml version='1.0'?><Error><Code>AccessDenied", FileKind.XML),
    "json": (lambda: json.dumps({"message": "Not Found"}, indent=2).encode(), FileKind.JSON),
    "rows": (lambda: b'[{"image": "a"}]', FileKind.JSON),
    "zip": (lambda: _archive("zip"), FileKind.ZIP),
    "empty zip": (lambda: _archive("empty zip"), FileKind.ZIP),
    "tar": (lambda: _archive("tar"), FileKind.TAR),
    "gzip": (lambda: gzip.compress(b"image,target\n"), FileKind.GZIP),
    "bzip2": (lambda: bz2.compress(b"image,target\n"), FileKind.BZIP2),
    "xz": (lambda: lzma.compress(b"image,target\n"), FileKind.XZ),
    "array": (_array, FileKind.NUMPY),
    "pickle": (lambda: pickle.dumps({"a": 1}), FileKind.PICKLE),
    "jpeg": (lambda: _picture("JPEG"), FileKind.JPEG),
    "png": (lambda: _picture("PNG"), FileKind.PNG),
    "tiff": (lambda: _picture("TIFF"), FileKind.TIFF),
    "dicom's letters first": (lambda: b"DICM\2\0\0\0UL\4\0", FileKind.DICOM_HEADLESS),
    "a dataset, its types told": (lambda: b"\x08\0\5\0CS\x0a\0ISO_IR 100", FileKind.DICOM_HEADLESS),
    "a dataset, types left out": (
        lambda: b"\x08\0\x16\0\x1a\0\0\x001.2.840.10008.5.1.4.1.1.77",
        FileKind.DICOM_HEADLESS,
    ),
    "dicom": (lambda: bytes(128) + b"DICM\2\0", FileKind.DICOM),
    "safetensors": (lambda: (64).to_bytes(8, "little") + b'{"a":{"dtype"', FileKind.SAFETENSORS),
}


@pytest.mark.parametrize("name", MADE)
def test_kinds_are_known_by_their_first_bytes(tmp_path: Path, name: str) -> None:
    make, expected = MADE[name]
    content = make()
    assert detect_file_kind(content[:HEAD]) is expected
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert read_file_kind(path) is expected


@pytest.mark.parametrize(
    "head",
    [
        b"image_id,target\n",
        b"\xef\xbb\xbfimage;target\n",
        "image,target".encode("utf-16"),
        b"<5 mm,count\n",
        b"[mm],count\n",
        b"{id},x\n",
        b"version,image\nhttps://example.org,1\n",
        bytes(8),
    ],
)
def test_tables_and_text_are_none_of_them(head: bytes) -> None:
    assert detect_file_kind(head) is None


def test_pointers_say_how_to_fetch_the_file() -> None:
    assert "git lfs pull" in FileKind.LFS_POINTER.mend("replace it")
    assert FileKind.ZIP.mend("unpack it") == "unpack it"
    assert all("\n" not in kind and kind.mend("x") for kind in FileKind)
