"""Keys of minisign: read, written and made. The secret one may be encrypted with a passphrase.

A key is an Ed25519 key with a number of 64 bits that tells it from others. Both files hold a
comment and one line of base64: https://jedisct1.github.io/minisign/#public-key-format
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from melanoscope.errors import MelanoscopeError, SignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = b"Ed"
COMMENT = "untrusted comment: "
PASSPHRASE_VARIABLE = "MELANOSCOPE_PASSPHRASE"  # noqa: S105 - the name of it, not one
"""Environment variable of the passphrase, where nobody can be asked for it."""

_SCRYPT, _NO_KDF, _BLAKE2 = b"Sc", b"\0\0", b"B2"
# minisign's own: 2**20 blocks of scrypt, which take a gibibyte and some seconds.
OPERATIONS, MEMORY = 33_554_432, 1_073_741_824
_MAX_MEMORY = 2**31 - 1  # that OpenSSL can be allowed
_MAX_FILE_BYTES = 2**14


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures: 32 bytes, and the 8 bytes of its number."""

    number: bytes
    content: bytes

    @property
    def name(self) -> str:
        """The number as minisign writes it."""
        return key_name(self.number)

    def to_base64(self) -> str:
        """Return the text that `read_public_key` and `minisign -P` take."""
        return base64.b64encode(ALGORITHM + self.number + self.content).decode()


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key that signs: the number, the 32 bytes of its seed, and those of its public key."""

    number: bytes
    seed: bytes = field(repr=False)
    public: bytes

    def signer(self) -> Ed25519PrivateKey:
        """Return the key that signs; raise MelanoscopeError without the extra [sign]."""
        key: Ed25519PrivateKey = ed25519().Ed25519PrivateKey.from_private_bytes(self.seed)
        return key


def key_name(number: bytes) -> str:
    """Return the number of a key as minisign writes it: 16 hexadecimal digits.

    >>> key_name(bytes(range(8)))
    '0706050403020100'
    """
    return f"{int.from_bytes(number, 'little'):016X}"


def read_public_key(text: str) -> PublicKey:
    """Read a public key of minisign.

    Args:
        text: Path of its file, or the 56 characters of base64 themselves.

    Returns:
        The key.

    Raises:
        SignatureError: No public key.

    >>> read_public_key("RWQAAQIDBAUGBwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f").name
    '0706050403020100'
    """
    try:
        line = _key_line(Path(text)) if Path(text).is_file() else text.strip()
    except (OSError, ValueError):  # a word that is too long for a path, or none
        line = text.strip()
    content = decode_base64(line)
    if content is None or len(content) != 42 or content[:2] != ALGORITHM:
        raise SignatureError(
            "a public key of minisign, its file or its base64",
            f"'{text[:80]}'" if content is None else "another kind of key",
            "name the file that ends in .pub",
        )
    return PublicKey(content[2:10], content[10:])


def read_secret_key(path: Path, ask: Callable[[], str]) -> SecretKey:
    """Read a secret key of minisign.

    Args:
        path: Its file.
        ask: Called for the passphrase if the key is encrypted.

    Returns:
        The key.

    Raises:
        SignatureError: No secret key, or another passphrase.
    """
    if not path.is_file():
        raise SignatureError(f"a secret key at '{path}'", "no file", "make one: melanoscope keygen")
    content = decode_base64(_key_line(path))
    if content is None or len(content) != 158 or content[:2] + content[4:6] != ALGORITHM + _BLAKE2:
        raise SignatureError(
            f"a secret key of minisign at '{path}'", "something else", "name the file of -s"
        )
    method, salt, body = content[2:4], content[6:38], content[54:]
    if method == _SCRYPT:
        limits = int.from_bytes(content[38:46], "little"), int.from_bytes(content[46:54], "little")
        body = _encrypt(body, ask(), salt, *limits)
    elif method != _NO_KDF:
        raise SignatureError(
            f"a secret key encrypted with scrypt at '{path}'", f"{method!r}", "make another"
        )
    number, seed, public, checksum = body[:8], body[8:40], body[40:72], body[72:]
    # A key that is not encrypted has no checksum where minisign wrote it.
    if method == _SCRYPT and not hmac.compare_digest(checksum, _checksum(number, seed + public)):
        raise SignatureError(f"the passphrase of '{path}'", "another", "try again")
    key = SecretKey(number, seed, public)
    if key.signer().public_key().public_bytes_raw() != public:
        raise SignatureError(f"a whole secret key at '{path}'", "a changed one", "copy it again")
    return key


def make_keys(
    path: Path, passphrase: str, *, limits: tuple[int, int] = (OPERATIONS, MEMORY)
) -> Path:
    """Make a pair of keys and write their files, which minisign reads.

    Args:
        path: File of the secret key, new; that of the public one ends in ".pub".
        passphrase: What the secret key is encrypted with; "" for no encryption.
        limits: Operations and bytes of scrypt, as libsodium counts them.

    Returns:
        File of the public key.

    Raises:
        SignatureError: One of the files is there already, or `path` has no name.
    """
    if not path.name:
        raise SignatureError("a file for a key", f"'{path}'", "name another")
    public_path = path.with_suffix(".pub")
    for one in (path, public_path):
        if one.exists() or path == public_path:
            raise SignatureError("a new file for a key", f"'{one}'", "name another")
    number, seed = secrets.token_bytes(8), secrets.token_bytes(32)
    signer = ed25519().Ed25519PrivateKey.from_private_bytes(seed)
    public = signer.public_key().public_bytes_raw()
    method, salt, sizes = _NO_KDF, bytes(32), bytes(16)
    body = number + seed + public + _checksum(number, seed + public)
    if passphrase:
        method, salt = _SCRYPT, secrets.token_bytes(32)
        sizes = b"".join(limit.to_bytes(8, "little") for limit in limits)
        body = _encrypt(body, passphrase, salt, *limits)
    secret = base64.b64encode(ALGORITHM + method + _BLAKE2 + salt + sizes + body).decode()
    kind = "encrypted " if passphrase else ""
    _write_new(path, f"minisign {kind}secret key", secret, 0o600)
    key = PublicKey(number, public)
    _write_new(public_path, f"minisign public key {key.name}", key.to_base64(), 0o644)
    return public_path


def ed25519() -> ModuleType:
    """Return cryptography's module of Ed25519; raise MelanoscopeError without the extra [sign]."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519 as module
    except ModuleNotFoundError:
        raise MelanoscopeError(
            "the packages of the extra [sign]",
            "no cryptography",
            "pip install 'melanoscope[sign]'",
        ) from None
    return module


def _write_new(path: Path, comment: str, line: str, mode: int) -> None:
    # Exclusively, and from the start with the rights that it is to have.
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(f"{COMMENT}{comment}\n{line}\n")


def _key_line(path: Path) -> str:
    with path.open("rb") as file:
        lines = file.read(_MAX_FILE_BYTES).decode("utf-8", "replace").splitlines()
    # A public key may stand alone.
    return next((one.strip() for one in lines if not one.startswith(COMMENT.strip())), "")


def decode_base64(line: str) -> bytes | None:
    r"""Return the bytes of a line of base64, or None where it is none, or not the one of them.

    >>> decode_base64("AQ=="), decode_base64("AR=="), decode_base64("A Q==")
    (b'\x01', None, None)
    """
    try:
        content = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == line else None


def _checksum(number: bytes, pair: bytes) -> bytes:
    return hashlib.blake2b(ALGORITHM + number + pair, digest_size=32).digest()


def _encrypt(body: bytes, passphrase: str, salt: bytes, operations: int, memory: int) -> bytes:
    """Encrypt or decrypt a secret key by the stream that scrypt makes of a passphrase."""
    n, p = _scrypt_parameters(operations, memory)
    try:
        stream = hashlib.scrypt(
            passphrase.encode(), salt=salt, n=n, r=8, p=p, maxmem=_MAX_MEMORY, dklen=len(body)
        )
    except (ValueError, MemoryError) as error:
        raise SignatureError(
            "a secret key that this machine has the memory to decrypt",
            f"scrypt of {n} blocks: {error}",
            "use a machine with more memory",
        ) from None
    return bytes(a ^ b for a, b in zip(body, stream, strict=True))


def _scrypt_parameters(operations: int, memory: int) -> tuple[int, int]:
    """Return N and p of scrypt, with r = 8, as libsodium's pickparams chooses them.

    >>> _scrypt_parameters(33_554_432, 1_073_741_824)
    (1048576, 1)
    """
    operations = max(operations, 32_768)
    few = operations < memory // 32
    largest = operations // 32 if few else memory // 1024
    power = 1
    while power < 63 and 2**power <= largest // 2:
        power += 1
    p = 1 if few else max(min(operations // 4 // 2**power, 0x3FFFFFFF) // 8, 1)
    return 2**power, p
