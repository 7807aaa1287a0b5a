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

SCHEMA = 1
RECORD = "bundle.json"
MODEL, WEIGHTS, CARD = "model.onnx", "weights.safetensors", "MODEL_CARD.md"
GRADIENT, SMALL = "gradient.onnx", "model.int8.onnx"
REQUIRED = (MODEL, WEIGHTS, CARD)

_MAKE_AGAIN = "copy the bundle again or make it anew"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A checked bundle.

    Attributes:
        folder: Where it lies.
        record: Content of bundle.json.
        fingerprint: sha256 of bundle.json, which names those of all files.
    """

    folder: Path
    record: dict[str, Any]
    fingerprint: str

    @property
    def px(self) -> int:
        """Side of the photographs in pixels."""
        return int(self.record["network"]["size"])

    @property
    def simulated(self) -> bool:
        """Whether the network learnt from simulated lesions."""
        return bool(self.record["data"]["simulated"])

    def graph(self, name: str) -> Path:
        """Return the file of a graph: "model", "gradient" or "int8".

        Raises:
            BundleError: The bundle has none; says why.
        """
        known = self.record["graphs"].get(name, {"why": "never made"})
        if known.get("file") not in self.record["files"]:
            raise BundleError(
                f"a bundle with a graph '{name}'",
                f"none: {known.get('why', 'its file is not sealed')}",
                "do without",
            )
        return self.folder / str(known["file"])


def open_bundle(folder: Path | str) -> Bundle:
    """Read a bundle and check each of its files.

    Raises:
        BundleError: No bundle, of another schema, a missing file, or a changed byte.
    """
    folder = Path(folder)
    if not (folder / RECORD).is_file():
        there = f"no {RECORD} in it" if folder.is_dir() else "no such folder"
        raise BundleError(f"a bundle at '{folder}'", there, "name a folder that melanoscope sealed")
    text = (folder / RECORD).read_bytes()
    record = _parse(folder, text)
    for name, known in _files(folder, record).items():
        _check_file(folder / name, known)
    return Bundle(folder, record, hashlib.sha256(text).hexdigest())


def seal_of(record: dict[str, Any]) -> str:
    """Return the sha256 of a record without its seal, in canonical JSON."""
    plain = {key: value for key, value in record.items() if key != "seal"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_entry(path: Path) -> dict[str, Any]:
    """Describe a file for the record: sha256 and size in bytes."""
    return {"sha256": _sha256(path), "bytes": path.stat().st_size}


def _parse(folder: Path, text: bytes) -> dict[str, Any]:
    where = f"'{folder / RECORD}'"
    try:
        record = json.loads(text)
        schema = record["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"a bundle's record in {where}", "something else", _MAKE_AGAIN) from None
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise BundleError(
            f"a bundle of schema {SCHEMA}",
            f"schema {schema!r} in {where}",
            "update melanoscope" if newer else "make the bundle anew",
        )
    if record.get("seal") != seal_of(record):
        raise BundleError(f"{where} as it was sealed", "a changed record", _MAKE_AGAIN)
    assert isinstance(record, dict)  # noqa: S101 - it had a key
    return record


def _files(folder: Path, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = record.get("files", {})
    if not isinstance(files, dict) or not all(map(_is_entry, files.values())):
        raise BundleError(
            f"sha256 and size of every file in '{folder / RECORD}'", "other", _MAKE_AGAIN
        )
    missing = [name for name in REQUIRED if name not in files]
    # A name with a path in it could point at any file of the machine.
    strange = [name for name in files if Path(name).name != name or name in ("", ".", "..")]
    if missing or strange:
        what = f"no '{missing[0]}'" if missing else f"'{strange[0]}'"
        raise BundleError(
            f"plain files, {', '.join(REQUIRED)} among them, in '{folder}'", what, _MAKE_AGAIN
        )
    return files


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("bytes"), int)
    )


def _check_file(path: Path, known: dict[str, Any]) -> None:
    if not path.is_file():
        raise BundleError(f"a file '{path.name}' in '{path.parent}'", "none", _MAKE_AGAIN)
    if path.stat().st_size != known["bytes"] or _sha256(path) != known["sha256"]:
        raise BundleError(
            f"'{path.name}' as it was sealed (sha256 {known['sha256'][:12]}...)",
            f"a changed file in '{path.parent}'",
            _MAKE_AGAIN,
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
