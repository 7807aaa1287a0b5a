"""A bundle: a folder that holds a network and all that is needed to read its answers.

bundle.json names every file with its sha256 and carries a seal over itself, so that a changed byte
is noticed. The seal is no signature: whoever changes a bundle on purpose can seal it anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melanoscope.errors import BundleError
from melanoscope.file_kinds import HEAD, FileKind, detect_file_kind, read_file_kind
from melanoscope.inference.manifest import SCHEMA, BundleManifest, FileEntry, seal_of

MANIFEST = "bundle.json"
MODEL, WEIGHTS, CARD = "model.onnx", "weights.safetensors", "MODEL_CARD.md"
GRADIENT, SMALL = "gradient.onnx", "model.int8.onnx"
REQUIRED = (MODEL, WEIGHTS, CARD)

_MAKE_AGAIN = "copy the bundle again or make it anew"


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


def open_bundle(folder: Path | str) -> Bundle:
    """Read a bundle and check each of its files.

    Args:
        folder: Folder that `melanoscope train` or `melanoscope export` wrote.

    Returns:
        The bundle.

    Raises:
        BundleError: No bundle, of another schema, a missing file, or a changed byte.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        there = f"no {MANIFEST} in it" if folder.is_dir() else "no such folder"
        raise BundleError(
            f"a bundle at '{folder}'", there, "name a folder that melanoscope exported"
        )
    text = (folder / MANIFEST).read_bytes()
    kind = detect_file_kind(text[:HEAD])
    if kind is not None and kind is not FileKind.JSON:
        raise BundleError(
            f"a bundle's record in '{folder / MANIFEST}'", str(kind), kind.mend(_MAKE_AGAIN)
        )
    manifest = BundleManifest.from_dict(_parse(folder, text))
    _check_names(folder, manifest)
    for name, known in manifest.files.items():
        _check_file(folder / name, known)
    return Bundle(folder, manifest, hashlib.sha256(text).hexdigest())


def file_entry(path: Path) -> FileEntry:
    """Describe a file for the manifest: sha256 and size in bytes."""
    return FileEntry(sha256=file_sha256(path), bytes=path.stat().st_size)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(folder: Path, text: bytes) -> dict[str, Any]:
    """Read the JSON document, and check its schema and its seal."""
    where = f"'{folder / MANIFEST}'"
    try:
        record: dict[str, Any] = json.loads(text)
        schema, seal = record["schema"], seal_of(record)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise BundleError(f"a bundle's record in {where}", "something else", _MAKE_AGAIN) from None
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise BundleError(
            f"a bundle of schema {SCHEMA}",
            f"schema {schema!r} in {where}",
            "update melanoscope" if newer else "make the bundle anew",
        )
    if record.get("seal") != seal:
        raise BundleError(f"{where} as it was exported", "a changed record", _MAKE_AGAIN)
    return record


def _check_names(folder: Path, manifest: BundleManifest) -> None:
    missing = [name for name in REQUIRED if name not in manifest.files]
    # A name with a path in it could point at any file of the machine.
    strange = [n for n in manifest.files if Path(n).name != n or n in ("", ".", "..")]
    if missing or strange:
        what = f"no '{missing[0]}'" if missing else f"'{strange[0]}'"
        raise BundleError(
            f"plain files, {', '.join(REQUIRED)} among them, in '{folder}'", what, _MAKE_AGAIN
        )


def _check_file(path: Path, known: FileEntry) -> None:
    if not path.is_file():
        raise BundleError(f"a file '{path.name}' in '{path.parent}'", "none", _MAKE_AGAIN)
    found = file_entry(path)
    if found == known:
        return
    # A repository cloned without git-lfs holds pointers under the names of large files.
    kind = read_file_kind(path)
    kind = None if kind is FileKind.SAFETENSORS else kind
    what = "a changed file" if kind is None else str(kind)
    if kind is None and found.bytes < known.bytes:
        what = f"a file torn off after {found.bytes} of {known.bytes} bytes"
    raise BundleError(
        f"'{path.name}' as it was exported (sha256 {known.sha256[:12]}...)",
        f"{what} in '{path.parent}'",
        _MAKE_AGAIN if kind is None else kind.mend(_MAKE_AGAIN),
    )
