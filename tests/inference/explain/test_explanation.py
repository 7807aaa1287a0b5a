"""Files of an explanation are whole or not there, and hold nothing but what is shown."""

from __future__ import annotations

import base64
import io
import os
import re
import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from melanoscope.errors import DataError, RunError
from melanoscope.imaging.decode import DecodedImage, decode_image
from melanoscope.inference.explain.explanation import write_explanation

from .samples import Gradients, diagnosis, photograph, refused


@pytest.mark.parametrize("px", [64, 96, 128, 224, 512])
@pytest.mark.parametrize("shape", [(4, 4), (7, 5)])
def test_files_of_an_explanation(tmp_path, px, shape):
    places = np.random.default_rng(0).normal(0, 0.1, shape)
    decoded = DecodedImage(photograph(px), 1024, 768)
    gradients = Gradients(np.random.default_rng(0).normal(0, 1e-3, (px, px)))
    files = write_explanation(tmp_path / "new" / "mole", decoded, diagnosis(places), gradients)
    names = ["photograph.png", "evidence.png", "gradients.png", "explanation.html"]
    assert files == [tmp_path / "new" / f"mole-{name}" for name in names]
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)
    side = max(px, 420)
    for file in files[:3]:
        assert Image.open(file).size == (side, side)
    # The page holds the very pictures of the other files.
    page = files[3].read_text(encoding="utf-8")
    inside = [base64.b64decode(one) for one in re.findall(r"base64,([\w+/=]+)", page)]
    assert inside[:3] == [file.read_bytes() for file in files[:3]]


def test_without_gradients_or_answer_there_are_fewer_files(tmp_path):
    decoded = DecodedImage(photograph(64), 64, 64)
    kinds = [file.name for file in write_explanation(tmp_path / "a.v2", decoded, diagnosis(), None)]
    assert kinds == ["a.v2-photograph.png", "a.v2-evidence.png", "a.v2-explanation.html"]
    gradients = Gradients(np.ones((64, 64)))
    kinds = [file.name for file in write_explanation(tmp_path / "r", decoded, refused(), gradients)]
    assert kinds == ["r-photograph.png", "r-explanation.html"]


def test_files_hold_pixels_and_nothing_else(tmp_path):
    image, notes = Image.fromarray(photograph(200)), PngImagePlugin.PngInfo()
    notes.add_text("Author", "SECRET")
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = "SECRET", "SECRET"
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=notes, exif=exif, dpi=(300, 300), icc_profile=b"SECRET")
    assert b"SECRET" in file.getvalue()
    decoded = decode_image(file.getvalue(), 96)
    *pngs, page = write_explanation(tmp_path / "x", decoded, diagnosis(), None)
    inside = re.findall(rb"base64,([\w+/=]+)", page.read_bytes())
    contents = [base64.b64decode(one) for one in inside]
    assert len(contents) == len(pngs) + 1  # and the color bar
    for content in (*contents, *(file.read_bytes() for file in pngs)):
        assert b"SECRET" not in content
        assert set(chunks(content)) == {b"IHDR", b"IDAT", b"IEND"}
    assert b"SECRET" not in page.read_bytes()


def chunks(content):
    place = 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        yield content[place + 4 : place + 8]
        place += 12 + length


def test_the_same_answer_gives_the_same_files(tmp_path):
    decoded = DecodedImage(photograph(64), 64, 64)
    first = [f.read_bytes() for f in write_explanation(tmp_path / "a", decoded, diagnosis(), None)]
    again = [f.read_bytes() for f in write_explanation(tmp_path / "a", decoded, diagnosis(), None)]
    assert first == again


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    decoded = DecodedImage(photograph(64), 64, 64)
    files = write_explanation(tmp_path / "a", decoded, diagnosis(), None)
    before = {file: file.read_bytes() for file in files}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    other = DecodedImage(photograph(64, seed=1), 64, 64)
    with pytest.raises(RunError, match="found a full disk"):
        write_explanation(tmp_path / "a", other, diagnosis(), None)
    assert {file: file.read_bytes() for file in files} == before
    assert sorted(tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize("name", ["file/a", "a" * 300])
def test_where_nothing_can_be_written_one_line_says_so(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="name another folder"):
        write_explanation(tmp_path / name, DecodedImage(photograph(64), 64, 64), diagnosis(), None)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
