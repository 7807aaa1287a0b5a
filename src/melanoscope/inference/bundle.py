"""A bundle: a folder that holds a network and all that is needed to read its answers.

bundle.json names every file with its sha256 and carries a seal over itself, so that a changed byte
is noticed. The seal is no signature: whoever changes a bundle on purpose can seal it anew. Where a
public key is trusted, bundle.json.minisig must be a signature of bundle.json by that key, which is
checked before anything else is read (`melanoscope.signing`).
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.checksums import file_sha256
from melanoscope.errors import BundleError, SignatureError
from melanoscope.file_kinds import FileKind, read_file_kind
from melanoscope.inference.manifest import BundleManifest, FileEntry
from melanoscope.inference.manifest_json import MAKE_AGAIN, MAX_BYTES, parse_record

if TYPE_CHECKING:
    from melanoscope.signing.keys import PublicKey

MANIFEST = "bundle.json"
SIGNATURE = f"{MANIFEST}.minisig"
MODEL, WEIGHTS, CARD = "model.onnx", "weights.safetensors", "MODEL_CARD.md"
GRADIENT, SMALL = "gradient.onnx", "model.int8.onnx"
REQUIRED = (MODEL, WEIGHTS, CARD)

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MAX_FILES = 100
_MAX_CARD_BYTES = 2**20
_MAX_SIGNATURE_BYTES = 2**14


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose files have been checked.

    Attributes:
        folder: Folder of the bundle.
        manifest: Content of bundle.json.
        fingerprint: sha256 of bundle.json, which names those of all files.
    """

    folder: Path
    manifest: BundleManifest
    fingerprint: str

    @property
    def image_size(self) -> int:
        """Side of the network's input in pixels."""
        return self.manifest.network.image_size

    def graph(self, name: str) -> Path:
        """Return the path of the "model", "gradient" or "int8" graph; raise BundleError if none."""
        known = getattr(self.manifest.graphs, name)
        if known.file not in self.manifest.files:
            raise BundleError(
                f"a bundle with a graph '{name}'",
                f"none: {known.why or 'its file is not named with a sha256'}",
                "do without",
            )
        return self.folder / str(known.file)

    def read_graph(self, name: str) -> bytes:
        """Return the content of a graph, which is what its sha256 is of; see `graph`."""
        return self._read(self.graph(name).name)

    def card(self) -> str:
        """Return the model card; raise BundleError if it is too long or no text in UTF-8."""
        size = self.manifest.files[CARD].bytes
        where = f"a text of at most {_MAX_CARD_BYTES} bytes in '{self.folder / CARD}'"
        if size > _MAX_CARD_BYTES:
            raise BundleError(where, f"{size} bytes", "make the bundle anew")
        try:
            return self._read(CARD).decode("utf-8")
        except UnicodeDecodeError:
            raise BundleError(where, "bytes that are no UTF-8", "make the bundle anew") from None

    def _read(self, name: str) -> bytes:
        """Read a file as a whole and check these very bytes."""
        # The file may have been changed since the bundle was opened: what is run is what is hashed.
        known = self.manifest.files[name]
        path = self.folder / name
        _check_plain(path, known)
        with path.open("rb") as file:
            content = file.read(known.bytes + 1)
        if len(content) != known.bytes or hashlib.sha256(content).hexdigest() != known.sha256:
            raise _changed(path, known, "a changed file")
        return content


def open_bundle(folder: Path | str, *, trust: PublicKey | None = None) -> Bundle:
    """Read a bundle and check each of its files.

    Args:
        folder: Folder that `melanoscope train` or `melanoscope export` wrote.
        trust: Public key that must have signed the bundle; None where anybody may have made it.

    Returns:
        The bundle.

    Raises:
        SignatureError: It is not signed by the key that is trusted.
        BundleError: No bundle, one of another schema, a missing file, or a changed byte.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file() or (folder / MANIFEST).is_symlink():
        there = f"no {MANIFEST} in it" if folder.is_dir() else "no such folder"
        raise BundleError(
            f"a bundle at '{folder}'", there, "name a folder that melanoscope exported"
        )
    content = _read_bounded(folder / MANIFEST, MAX_BYTES)
    if trust is not None:
        _check_signature(folder, content, trust)
    manifest = BundleManifest.from_dict(parse_record(content, f"'{folder / MANIFEST}'"))
    _check_names(folder, manifest)
    for name, known in manifest.files.items():
        _check_file(folder / name, known)
    return Bundle(folder, manifest, hashlib.sha256(content).hexdigest())


def file_entry(path: Path) -> FileEntry:
    """Describe a file for the manifest: sha256 and size in bytes."""
    return FileEntry(sha256=file_sha256(path), bytes=path.stat().st_size)


def _read_bounded(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise BundleError(f"at most {most} bytes in '{path}'", "more", MAKE_AGAIN)
    return content


def _check_signature(folder: Path, content: bytes, trust: PublicKey) -> None:
    """Raise a BundleError unless `content` is signed by the key that is trusted."""
    from melanoscope.signing.signatures import verify

    path = folder / SIGNATURE
    if not path.is_file():
        raise SignatureError(
            f"a bundle signed by the key {trust.name} in '{folder}'",
            f"no {SIGNATURE}",
            "ask whoever made it for a signed one, or leave --trust away",
        )
    verify(content, _read_bounded(path, _MAX_SIGNATURE_BYTES), trust, where=str(path))


def _check_names(folder: Path, manifest: BundleManifest) -> None:
    missing = [name for name in REQUIRED if name not in manifest.files]
    # A name with a path in it could point at any file of the machine.
    strange = [n for n in manifest.files if not _PLAIN_NAME.fullmatch(n) or n == MANIFEST]
    if missing or strange or len(manifest.files) > _MAX_FILES:
        what = f"{len(manifest.files)} files"
        if missing or strange:
            what = f"no '{missing[0]}'" if missing else f"'{strange[0][:100]}'"
        raise BundleError(
            f"plain files, {', '.join(REQUIRED)} among them, in '{folder}'", what, MAKE_AGAIN
        )


def _check_plain(path: Path, known: FileEntry) -> None:
    """Raise a BundleError unless a file is there, itself and no link, in the size that is known."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise BundleError(f"a file '{path.name}' in '{path.parent}'", "none", MAKE_AGAIN) from None
    if not stat.S_ISREG(found.st_mode):
        what = "a link to another" if stat.S_ISLNK(found.st_mode) else "something else"
        raise BundleError(
            f"a file '{path.name}' in '{path.parent}'", what, "copy what the links point at"
        )
    if found.st_size < known.bytes:
        raise _changed(path, known, f"a file torn off after {found.st_size} of {known.bytes} bytes")
    if found.st_size > known.bytes:
        raise _changed(path, known, "a changed file")


def _check_file(path: Path, known: FileEntry) -> None:
    _check_plain(path, known)
    if file_sha256(path) != known.sha256:
        raise _changed(path, known, "a changed file")


def _changed(path: Path, known: FileEntry, what: str) -> BundleError:
    # A repository cloned without git-lfs holds pointers under the names of large files.
    kind = read_file_kind(path)
    kind = None if kind is FileKind.SAFETENSORS else kind
    return BundleError(
        f"'{path.name}' as it was exported (sha256 {known.sha256[:12]}...)",
        f"{what if kind is None else kind} in '{path.parent}'",
        MAKE_AGAIN if kind is None else kind.mend(MAKE_AGAIN),
    )
