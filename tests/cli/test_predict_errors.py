"""What `predict` cannot answer is one line, and other photographs are answered all the same."""

from __future__ import annotations

import json
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from melanoscope.inference.bundle import MANIFEST
from melanoscope.inference.manifest import seal_of

from .conftest import Call, answers


def bad_files(folder):
    """Files that are no photographs, by what is wrong with them."""
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "folder.jpg").mkdir()
    (folder / "text.jpg").write_text("no photograph")
    (folder / "video.mp4").write_bytes(
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 200
    )
    rows = zlib.compress(b"\x00" * (30_000 * 100), 9)
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    (folder / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return folder


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("empty.jpg", "empty"),
        ("folder.jpg", "folder"),
        ("text.jpg", "no image"),
        ("video.mp4", "video"),
        ("bomb.png", "bomb"),
        ("absent.jpg", "no file"),
    ],
)
def test_what_is_no_photograph_is_one_line(call: Call, small_bundle, tmp_path, name, hint):
    bad = bad_files(tmp_path) / name
    why = tmp_path / "why"
    status, out, err = call("predict", small_bundle, bad, "--explain", why)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert hint in err
    assert not why.exists()


def test_one_bad_photograph_does_not_stop_the_others(
    call: Call, small_bundle, simulated_photograph, tmp_path
):
    status, out, err = call(
        "predict", small_bundle, tmp_path / "absent.jpg", simulated_photograph, "--json", "--force"
    )
    bad, good = answers(out)
    assert (status, err.count("\n")) == (1, 1)
    assert bad["status"] == "error"
    assert "no file" in bad["error"]
    assert good["probability"] is not None


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--age", "-3"), "an age from 0 to 120 years"),
        (("--age", "old"), "an age from 0 to 120 years"),
        (("--site", "tors"), "nearest: torso"),
        (("--sex", "femal"), "nearest: female"),
        (("--prevalence", "1.8"), "state 1.8 % as 0.018"),
        (("--variant", "int4"), "a known variant"),
        (("--explain", "x", "--baseline", "blak"), "nearest: black"),
        (("--explain", "x", "--steps", "0"), "1 to 1024 steps"),
    ],
)
def test_what_cannot_be_is_one_line(call: Call, small_bundle, simulated_photograph, options, hint):
    status, out, err = call("predict", small_bundle, simulated_photograph, *options)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert hint in err


def test_a_newer_bundle_is_one_line(call: Call, small_bundle, simulated_photograph, tmp_path):
    newer = shutil.copytree(small_bundle, tmp_path / "newer")
    record = json.loads((newer / MANIFEST).read_text()) | {"schema": 99}
    (newer / MANIFEST).write_text(json.dumps(record | {"seal": seal_of(record)}))
    status, out, err = call("predict", newer, simulated_photograph)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "update melanoscope" in err


@pytest.mark.parametrize(
    "words", [(), ("--table", "t.csv"), ("p.jpg", "--table", "t.csv", "--out", "o")]
)
def test_wrong_usage_is_status_2(call: Call, small_bundle, words):
    assert call("predict", small_bundle, *words)[0] == 2


def test_a_refused_photograph_is_an_answer(call: Call, small_bundle, tmp_path):
    Image.fromarray(np.full((80, 80, 3), 3, np.uint8)).save(tmp_path / "black.png")
    status, out, _ = call("predict", small_bundle, tmp_path / "black.png", "--json")
    (answer,) = answers(out)
    assert status == 0
    assert answer["status"] == "refused"
    assert answer["probability"] is None
    assert answer["decisions"] == []
    assert any(concern["severity"] == "refused" for concern in answer["concerns"])
    _, out, _ = call("predict", small_bundle, tmp_path / "black.png", "--json", "--force")
    (forced,) = answers(out)
    assert forced["status"] == "doubtful"
    assert forced["forced"]
    assert forced["probability"] is not None
