"""Signatures of minisign: an Ed25519 signature of the BLAKE2b hash of what is signed.

A file has four lines: a comment that nobody vouches for, the signature, a comment that is signed,
and the signature of both: https://jedisct1.github.io/minisign/#signature-format
"""

from __future__ import annotations

import base64
import hashlib
import time

from melanoscope.errors import SignatureError
from melanoscope.signing.keys import (
    ALGORITHM,
    COMMENT,
    PublicKey,
    SecretKey,
    decode_base64,
    ed25519,
    key_name,
)

_HASHED = b"ED"
_TRUSTED = "trusted comment: "


def sign(content: bytes, key: SecretKey, name: str) -> str:
    """Return the file of a signature, which `verify` and minisign check.

    Args:
        content: What is signed.
        key: The key that signs it.
        name: Name of the file that holds the content, for the comment that is signed too.

    Returns:
        The text of the signature's file.
    """
    signer = key.signer()
    signature = signer.sign(hashlib.blake2b(content).digest())
    comment = f"timestamp:{int(time.time())}\tfile:{name}\thashed"
    whole = signer.sign(signature + comment.encode())
    lines = (
        f"{COMMENT}signature from melanoscope, key {key_name(key.number)}",
        base64.b64encode(_HASHED + key.number + signature).decode(),
        f"{_TRUSTED}{comment}",
        base64.b64encode(whole).decode(),
    )
    return "\n".join(lines) + "\n"


def verify(content: bytes, file: bytes, key: PublicKey, *, where: str) -> str:
    """Check a signature.

    Args:
        content: What must have been signed.
        file: Content of the signature's file.
        key: The public key that is trusted.
        where: Place of the signature's file, for errors.

    Returns:
        The comment that was signed, too: who signed chose its words.

    Raises:
        SignatureError: No signature, one by another key, or one of something else.
    """
    algorithm, number, signature, comment, whole = _parse(file, where)
    if number != key.number:
        raise SignatureError(
            f"a signature by the key {key.name} in '{where}'",
            f"one by the key {key_name(number)}",
            "ask whoever gave you the key for a bundle that it signed",
        )
    # "Ed" is minisign's older way, which signs the content itself.
    signed = hashlib.blake2b(content).digest() if algorithm == _HASHED else content
    public = ed25519().Ed25519PublicKey.from_public_bytes(key.content)
    from cryptography.exceptions import InvalidSignature

    for part, what, which in (
        (signature, signed, "content"),
        (whole, signature + comment, "comment"),
    ):
        try:
            public.verify(part, what)
        except InvalidSignature:
            raise SignatureError(
                f"the {which} that the key {key.name} signed in '{where}'",
                "another: it was changed, or never signed by this key",
                "do not use it; ask whoever made it for a whole one",
            ) from None
    return comment.decode("utf-8", "replace")


def _parse(file: bytes, where: str) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Return algorithm, number of the key, signature, signed comment and its signature."""
    lines = [line.rstrip(b"\r") for line in file.split(b"\n")]
    if len(lines) < 4:
        raise _no_signature(where)
    untrusted, first, trusted, second = lines[:4]
    signature, whole = (decode_base64(one.decode("latin-1")) or b"" for one in (first, second))
    starts = untrusted.startswith(COMMENT.encode()) and trusted.startswith(_TRUSTED.encode())
    if (
        any(lines[4:])
        or not starts
        or (len(signature), len(whole)) != (74, 64)
        or signature[:2] not in (ALGORITHM, _HASHED)
    ):
        raise _no_signature(where)
    comment = trusted[len(_TRUSTED) :]
    return signature[:2], signature[2:10], signature[10:], comment, whole


def _no_signature(where: str) -> SignatureError:
    return SignatureError(
        f"a signature of minisign in '{where}'", "something else", "copy the bundle again"
    )
