"""bundle.json as typed records: what a bundle says of itself.

`melanoscope.export` fills a `BundleManifest` and everybody who answers reads one. Each attribute is
a key of the JSON document by the same name, but where a field names another one. Reading is strict:
a key that is missing, unknown or of another type is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import field

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.inference.manifest_ranges import (
    Amount,
    Count,
    Logit,
    Moment,
    Prevalence,
    Sha256,
    Share,
    interval_fault,
    intervals_of,
)
from melanoscope.inference.manifest_records import (
    Calibration,
    Data,
    Gate,
    Heldout,
    License,
    Network,
    Preprocessing,
    Record,
    StaticFeatures,
    Subgroup,
    Threshold,
    Training,
)
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import Target

SCHEMA = 2  # version of the form of bundle.json


class Graph(Record, frozen=True, omit_defaults=True):
    """The file of an ONNX graph, or why there is none."""

    file: str | None = None
    why: str | None = None


class Int8Graph(Record, frozen=True, omit_defaults=True, kw_only=True):
    """The int8 variant compared with the network on the test photographs.

    Attributes:
        why: Why there is no int8 variant; None where it was accepted.
        file: None where it was not accepted. All below is None where it was never made.
        threshold: Logit at or above which both variants call a lesion positive.
        logit_difference: Mean absolute difference of the logits.
        decided_otherwise: Share of photographs that only one of the two calls, 0..1.
        accepted: Whether AUROC and sensitivity of the variant are close to those of the network.
    """

    why: str | None
    file: str | None = None
    photographs: Count | None = None
    positives: Count | None = None
    threshold: Logit | None = None
    auroc_float32: Share | None = None
    auroc_int8: Share | None = None
    sensitivity_float32: Share | None = None
    sensitivity_int8: Share | None = None
    specificity_float32: Share | None = None
    specificity_int8: Share | None = None
    logit_difference: Amount | None = None
    decided_otherwise: Share | None = None
    accepted: bool | None = None


class Graphs(Record, frozen=True):
    """The ONNX graphs of a bundle."""

    model: Graph
    gradient: Graph
    int8: Int8Graph


class Milliseconds(Record, frozen=True):
    """How long one photograph takes, over several runs."""

    median: Amount
    lower_quartile: Amount
    upper_quartile: Amount
    fastest: Amount


class Machine(Record, frozen=True):
    """The machine that times were taken on."""

    processor: str
    cores: Count | None
    onnxruntime: str


class Latency(Record, frozen=True):
    """Size of a graph's file, and how long `n` runs with some `threads` took."""

    bytes: Count
    milliseconds: Milliseconds
    n: Count
    threads: Count
    machine: Machine


class FileEntry(Record, frozen=True):
    """What a file of the bundle must be: its sha256 and its size in bytes."""

    sha256: Sha256
    bytes: Count


class BundleManifest(Record, frozen=True, kw_only=True):
    """All that bundle.json says.

    Attributes:
        melanoscope: Version of the program that wrote it.
        created: Date and time in ISO 8601.
        name: Name of the network for people.
        target: Which lesions are positive, and the words for them.
        static: None for a network of the photograph alone.
        disclaimer: What has to be said with each answer.
        prevalence: Share of positive lesions that answers assume where none is stated, 0..1.
        prevalence_note: What has to be said of that share, a clause, or "".
        thresholds: The main one first.
        metrics: Metric -> its value on the test photographs.
        variants: Variant ("float32", "int8") -> size and speed.
        files: Name of each file but bundle.json -> its sha256 and size.
        seal: sha256 of all that stands above, see `seal_of`.
    """

    schema: Literal[2]
    melanoscope: str
    created: Moment
    name: str
    target: Target
    network: Network
    preprocessing: Preprocessing
    static: StaticFeatures | None
    data: Data
    training: Training
    license: License = field(name="licence")
    disclaimer: str
    calibration: Calibration
    prevalence: Prevalence
    prevalence_note: str
    thresholds: tuple[Threshold, ...]
    metrics: dict[str, Interval]
    subgroups: tuple[Subgroup, ...]
    heldout: Heldout
    gate: Gate
    graphs: Graphs
    variants: dict[str, Latency]
    files: dict[str, FileEntry]
    seal: Sha256

    def __post_init__(self) -> None:
        fault = _contradiction(self)
        if fault:
            raise ValueError(fault)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document as plain values."""
        plain: dict[str, Any] = _change_standard_errors(
            msgspec.to_builtins(self), lambda error: None if math.isnan(error) else error
        )
        return plain

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> BundleManifest:
        """Read what `to_dict` returned; raise BundleError with the place of what is not of it."""
        try:
            plain = _change_standard_errors(
                record, lambda error: math.nan if error is None else error
            )
            manifest = msgspec.convert(plain, cls)
        except (msgspec.ValidationError, RecursionError) as error:
            raise _not_a_manifest(str(error)) from None
        except UnicodeEncodeError:  # half of a pair, which JSON can write and UTF-8 cannot
            raise _not_a_manifest("a text that is no Unicode") from None
        # Interval, QualityLimits and Target are dataclasses: msgspec passes over unknown keys.
        if place := _difference(manifest.to_dict(), record):
            raise _not_a_manifest(f"missing or unknown keys at `{place}`")
        return manifest

    def sealed(self, files: Mapping[str, FileEntry]) -> BundleManifest:
        """Return this manifest with its `files` (name -> entry; not bundle.json) and its seal."""
        whole = msgspec.structs.replace(self, files=dict(files))
        return msgspec.structs.replace(whole, seal=seal_of(whole.to_dict()))


def _contradiction(manifest: BundleManifest) -> str:
    """Return what of a manifest contradicts another part of it or the program, or ""."""
    network, static = manifest.network, manifest.static
    if manifest.preprocessing.image_size != network.image_size:
        return "two sizes of the network's input - at `$.preprocessing.size`"
    if network.with_static != (static is not None):
        return "a network with static data exactly where these are described - at `$.static`"
    known = (patient.FEATURE_NAMES, patient.SEXES, patient.SITES)
    if static is not None and (static.features, static.sexes, static.sites) != tuple(
        map(tuple, known)
    ):
        return "other ages, sexes or sites than this version knows - at `$.static`"
    keys = [threshold.key for threshold in manifest.thresholds]
    if len(set(keys)) < len(keys):
        return "a key of two thresholds - at `$.thresholds`"
    for place, interval in intervals_of(manifest):
        is_share = place.startswith(("$.thresholds", "$.subgroups", "$.gate"))
        if fault := interval_fault(interval, is_share=is_share):
            return f"{fault} - at `{place}`"
    return ""


def seal_of(record: Mapping[str, Any]) -> str:
    """Return the sha256 of a JSON document without its key "seal"; NaN raises ValueError."""
    # Canonical JSON, which any language can write: sorted keys, no white space, ASCII.
    plain = {key: value for key, value in record.items() if key != "seal"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of bundle.json; the page's types come from it."""
    schema = msgspec.json.schema(BundleManifest)
    interval = schema["$defs"]["Interval"]
    interval["properties"] |= {
        "standard_error": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
        "n": {"type": "integer", "minimum": 0},
        "confidence": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    }
    for plain in (interval, schema["$defs"]["Target"]):  # dataclasses, which `from_dict` has whole
        plain |= {"required": list(plain["properties"]), "additionalProperties": False}
    return schema


def _not_a_manifest(found: str) -> BundleError:
    return BundleError(
        f"a whole record of a bundle of schema {SCHEMA}", found, "make the bundle anew"
    )


def _change_standard_errors(value: Any, change: Callable[[Any], Any]) -> Any:
    """Copy plain values, with each "standard_error" changed: it is NaN here and null in JSON."""
    if isinstance(value, Mapping):
        return {
            key: change(one) if key == "standard_error" else _change_standard_errors(one, change)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_change_standard_errors(one, change) for one in value]
    return value


def _difference(ours: Any, theirs: Any, place: str = "$") -> str:
    """Return where two documents first hold other keys or values, or ""."""
    if isinstance(ours, dict) and isinstance(theirs, Mapping) and ours.keys() == theirs.keys():
        found = (_difference(one, theirs[key], f"{place}.{key}") for key, one in ours.items())
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        found = (_difference(one, other, f"{place}[{n}]") for n, (one, other) in pairs)
    else:
        return "" if ours == theirs else place
    return next((one for one in found if one), "")
