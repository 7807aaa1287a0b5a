"""predict --trust, keygen, and what a stranger's bundle cannot put into a terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from melanoscope.inference.bundle import MANIFEST, SIGNATURE
from melanoscope.signing.keys import read_secret_key
from melanoscope.signing.signatures import sign
from tests.inference.broken_graphs import graph_of, write_bundle, write_record
from tests.inference.manifests import merged

pytest.importorskip("cryptography")

EVIL = "\x1b[2J\x1b]0;x\x07\u202e<script>alert(1)</script>\n\x9b31m"


@pytest.fixture
def photograph(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundle", graph_of({"logit": 1.0}))


@pytest.fixture
def keys(call, tmp_path):
    status, out, _ = call("keygen", "--out", tmp_path / "my.key", "--no-passphrase")
    assert status == 0
    assert "public key" in out
    return tmp_path / "my.key", tmp_path / "my.pub"


def sign_bundle(folder, key):
    text = sign((folder / MANIFEST).read_bytes(), read_secret_key(key, str), MANIFEST)
    (folder / SIGNATURE).write_text(text)


def test_a_signed_bundle_answers(call, bundle, keys, photograph):
    secret, public = keys
    sign_bundle(bundle, secret)
    word = public.read_text().splitlines()[1]
    for trust in (public, word):
        status, out, err = call("predict", bundle, photograph, "--trust", trust)
        assert (status, err) == (0, ""), err
        assert "suspicious" in out


def test_without_trust_everything_stays_as_it_is(call, bundle, photograph):
    (bundle / SIGNATURE).write_text("rubbish")
    assert call("predict", bundle, photograph)[0] == 0


@pytest.mark.parametrize("kind", ["unsigned", "rubbish", "other key", "changed", "huge"])
def test_others_are_refused_before_any_graph_is_loaded(
    call, bundle, keys, photograph, tmp_path, monkeypatch, kind
):
    secret, public = keys
    if kind == "other key":
        call("keygen", "--out", tmp_path / "other.key", "--no-passphrase")
        secret = tmp_path / "other.key"
    if kind not in ("unsigned", "rubbish", "huge"):
        sign_bundle(bundle, secret)
    if kind in ("rubbish", "huge"):
        (bundle / SIGNATURE).write_text("x" * (10 if kind == "rubbish" else 10**6))
    if kind == "changed":
        record = json.loads((bundle / MANIFEST).read_text())
        write_record(bundle, record | {"name": "other"})  # sealed anew: the seal does not notice
        assert call("predict", bundle, photograph)[0] == 0
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_: pytest.fail("it is loaded"))
    status, out, err = call("predict", bundle, photograph, "--trust", public)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1


def test_a_passphrase_is_taken_from_the_environment(call, tmp_path, monkeypatch):
    monkeypatch.setattr("melanoscope.signing.keys.make_keys.__kwdefaults__", {"limits": (1, 2**20)})
    monkeypatch.setenv("MELANOSCOPE_PASSPHRASE", "words")
    assert call("keygen", "--out", tmp_path / "e.key")[0] == 0
    assert read_secret_key(tmp_path / "e.key", lambda: "words").seed
    monkeypatch.delenv("MELANOSCOPE_PASSPHRASE")
    status, _, err = call("keygen", "--out", tmp_path / "f.key")
    assert status == 1
    assert "nobody to ask" in err


@pytest.mark.parametrize("options", [(), ("--json",), ("--explain",)])
def test_words_of_a_bundle_reach_no_terminal_and_no_page_raw(
    call, bundle, photograph, tmp_path, options
):
    record = json.loads((bundle / MANIFEST).read_text())
    words = {"name": EVIL, "disclaimer": EVIL, "prevalence_note": EVIL}
    words |= {"licence": {"notice": EVIL}, "network": {"label": EVIL}}
    words |= {"target": {"condition": EVIL, "plural": EVIL, "singular": EVIL}}
    record = merged(record, words)
    for one in record["thresholds"]:
        one["name"] = one["meaning"] = EVIL
    write_record(bundle, record)
    folder = [tmp_path / "out"] if options == ("--explain",) else []
    status, out, err = call("predict", bundle, photograph, *options, *folder)
    assert status == 0, err
    for text in (out, err):
        assert all(one.isprintable() or one == "\n" for one in text), ascii(text)
    if options == ("--json",):
        json.loads(out)
    for page in (tmp_path / "out").glob("*.html"):
        text = page.read_text()
        assert "<script" not in text
        assert "\x1b" not in text
