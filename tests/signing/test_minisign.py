"""Keys and signatures of minisign: known answers, the tool itself where it is, and forgeries."""

from __future__ import annotations

import base64
import shutil
import stat
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.errors import SignatureError
from melanoscope.signing.keys import make_keys, read_public_key, read_secret_key
from melanoscope.signing.signatures import sign, verify

pytest.importorskip("cryptography")

# Made by minisign 0.11: `minisign -G -W`, `minisign -S -t "known answer"` and `-l` for the older.
PUBLIC = "RWS+cgQPfmOf3LjsconTX5dwKIqKEGXv13KaogziSod12ApJkIMN91Rg"
KEY_LINE = (
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAvnIED35jn9wBPFpHXqZ0"
    "dlNQOdBymCyTVxv+1DOC8L3nfNUTl7kk2LjsconTX5dwKIqKEGXv13KaogziSod12ApJkIMN91RgAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAA="
)
CONTENT = b"melanoscope\n"
HASHED = b"""untrusted comment: signature from minisign secret key
RUS+cgQPfmOf3Oa3eCrosY+7GJJ4pqjX0c34N9LZ5XZwEfEe2biAEmzEP0UrMxgaNY3hJ0s4iP/eLHIovqou2gx2LrBhUR8IgA8=
trusted comment: known answer
wt0w2wgkjoFLJgezpYPgsfJVTkQi8Fl1E7IWNiQyMm8AaZaooIfY3DywiwICBy/nfWB8hIw2R4ILN822foEwCw==
"""
LEGACY = b"""untrusted comment: signature from minisign secret key
RWS+cgQPfmOf3LlIdJAPf9gocQJ6qT48XzlHF0eoWnQQVY6pF6cUO/w6VRLoVzuAUouosyLF0kUN41k4nA9XvMJ+9p6rF00FrwA=
trusted comment: known answer
cCRlmp6EFgQDpADGUJgaDdEcCFlG3eHCfso5xzp/0S5fhVkSkyECYTbbVzWs75Wm9ik9Ric66QQi+TZpXOHNBg==
"""
LITTLE = (40_000, 16_777_216)  # of scrypt, so that tests do not take its gibibyte
minisign = pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "known.key"
    path.write_text(f"untrusted comment: minisign encrypted secret key\n{KEY_LINE}\n")
    return read_secret_key(path, lambda: pytest.fail("it is not encrypted"))


@pytest.mark.parametrize("file", [HASHED, LEGACY, HASHED.replace(b"\n", b"\r\n")])
def test_signatures_of_minisign_are_known(file):
    key = read_public_key(PUBLIC)
    assert key.name == "DC9F637E0F0472BE"
    assert verify(CONTENT, file, key, where="x") == "known answer"
    with pytest.raises(SignatureError, match="was changed, or never signed"):
        verify(CONTENT + b" ", file, key, where="x")


def test_what_is_signed_is_what_minisign_signs(secret):
    """Ed25519 draws nothing: the same content has the same signature."""
    ours = sign(CONTENT, secret, "known.txt").encode()
    assert ours.split(b"\n")[1] == HASHED.split(b"\n")[1]
    assert verify(CONTENT, ours, read_public_key(PUBLIC), where="x").endswith("known.txt\thashed")


@given(at=st.integers(0, len(HASHED) - 1), bit=st.integers(0, 7))
@settings(max_examples=80)
def test_one_changed_bit_is_refused_or_says_the_same(at, bit):
    changed = bytearray(HASHED)
    changed[at] ^= 1 << bit
    try:
        comment = verify(CONTENT, bytes(changed), read_public_key(PUBLIC), where="x")
    except SignatureError as error:
        assert str(error).isprintable()  # noqa: PT017
    else:  # the first comment is vouched for by nobody
        assert comment == "known answer"
        assert changed.split(b"\n")[1:] == HASHED.split(b"\n")[1:]


def test_a_comment_of_another_signature_is_refused():
    lines = HASHED.split(b"\n")
    with pytest.raises(SignatureError, match="the comment that"):
        verify(
            CONTENT,
            b"\n".join([*lines[:2], b"trusted comment: other", *lines[3:]]),
            read_public_key(PUBLIC),
            where="x",
        )


@pytest.mark.parametrize("file", [b"", b"x", HASHED * 2, HASHED[:-20], b"\xff" * 99, b"\n" * 9])
def test_what_is_no_signature_is_one_line(file):
    with pytest.raises(SignatureError):
        verify(CONTENT, file, read_public_key(PUBLIC), where="x")


def test_another_key_is_named(tmp_path):
    other = read_public_key(str(make_keys(tmp_path / "other.key", "")))
    with pytest.raises(SignatureError, match=f"{other.name}.*one by the key DC9F637E0F0472BE"):
        verify(CONTENT, HASHED, other, where="x")


@pytest.mark.parametrize("passphrase", ["", "some wörds"])
def test_keys_are_made_and_read(tmp_path, passphrase):
    public = make_keys(tmp_path / "my.key", passphrase, limits=LITTLE)
    assert stat.S_IMODE((tmp_path / "my.key").stat().st_mode) == 0o600
    key = read_secret_key(tmp_path / "my.key", lambda: passphrase)
    file = sign(CONTENT, key, "x").encode()
    assert verify(CONTENT, file, read_public_key(str(public)), where="x")
    assert base64.b64encode(key.seed).decode() not in (tmp_path / "my.key").read_text()
    assert "seed" not in repr(key)
    with pytest.raises(SignatureError, match="a new file"):
        make_keys(tmp_path / "my.key", "")
    if passphrase:
        with pytest.raises(SignatureError, match="the passphrase"):
            read_secret_key(tmp_path / "my.key", lambda: "other")


@pytest.mark.parametrize(
    "text", ["", "x", PUBLIC[:-4], KEY_LINE[:-4], "x" * 999, "\x1b[2J", "\0", "/"]
)
def test_what_is_no_key_is_one_line(tmp_path, text):
    with pytest.raises(SignatureError) as caught:
        read_public_key(text)
    assert str(caught.value).isprintable()
    (tmp_path / "key").write_text(text)
    with pytest.raises(SignatureError):
        read_secret_key(tmp_path / "key", str)


@minisign
@pytest.mark.parametrize("passphrase", ["", "words"])
def test_minisign_checks_ours_and_we_check_its(tmp_path, passphrase):
    def run(*words):
        done = subprocess.run(
            ["minisign", *words], cwd=tmp_path, input=f"{passphrase}\n", text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    make_keys(tmp_path / "my.key", passphrase, limits=LITTLE)
    (tmp_path / "x").write_bytes(CONTENT)
    key = read_secret_key(tmp_path / "my.key", lambda: passphrase)
    (tmp_path / "x.minisig").write_text(sign(CONTENT, key, "x"))
    assert "comment signature verified" in run("-Vm", "x", "-p", "my.pub")
    run("-Sm", "x", "-s", "my.key", "-x", "theirs", "-t", "told")
    public = read_public_key(str(tmp_path / "my.pub"))
    assert verify(CONTENT, (tmp_path / "theirs").read_bytes(), public, where="x") == "told"
    run("-G", "-W", "-p", "their.pub", "-s", "their.key")
    theirs = read_secret_key(tmp_path / "their.key", str)
    (tmp_path / "x.minisig").write_text(sign(CONTENT, theirs, "x"))
    assert "verified" in run("-Vm", "x", "-p", "their.pub")
