"""bundle.json as typed records: strict in reading, unchanged by a way through them."""

from __future__ import annotations

import copy
import json

import pytest

from melanoscope.errors import BundleError
from melanoscope.inference.manifest import BundleManifest, FileEntry, json_schema, seal_of

from .manifests import record_of

REMOVED = object()


def places(value, path=()):
    """Every place of a record that holds something, whole parts as well."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in items:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


def changed(record, path, value):
    """A copy with another value at a place, or without it."""
    copied = copy.deepcopy(record)
    place = copied
    for key in path[:-1]:
        place = place[key]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copied


def without_intervals():
    """A record in which all that may be absent is."""
    record = record_of(2, int8=False)
    record["static"] = record["training"]["selection"] = None
    record["network"]["with_static"] = False
    record["thresholds"][0] |= dict.fromkeys(("sensitivity", "specificity", "ppv", "npv"))
    record["subgroups"][0]["levels"][0] |= dict.fromkeys(("auroc", "sensitivity", "specificity"))
    record["calibration"]["why"] = record["calibration"].pop("method")
    record["graphs"]["gradient"] = {"why": "pooling"}
    return record


RECORDS = [record_of(), record_of(1, int8=False), without_intervals()]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_goes_through_a_manifest_unchanged(record):
    again = BundleManifest.from_dict(record).to_dict()
    assert json.dumps(again, sort_keys=True) == json.dumps(record, sort_keys=True)
    assert seal_of(again) == seal_of(record)


# Maps from names to values have no keys that must be there.
MAPS = {
    ("metrics",),
    ("data", "left_out"),
    ("variants",),
    ("files",),
    ("training", "recipe"),
    ("training", "versions"),
}
MAPS |= {("training", "configuration", "recipe"), ("gate", "distance"), ("gate", "rates")}
OPTIONAL = {"file", "why", "method"}


def test_every_key_must_be_there():
    record = record_of()
    looked = 0
    for path in places(record):
        free = path[:-1] in MAPS or path[-1] in OPTIONAL or path[-2:-1] == ("concerns",)
        if free or isinstance(path[-1], int) or path[:2] == ("graphs", "int8"):
            continue
        with pytest.raises(BundleError) as caught:
            BundleManifest.from_dict(changed(record, path, REMOVED))
        assert str(path[-1]) in str(caught.value) or "missing or unknown" in str(caught.value), path
        assert "\n" not in str(caught.value)
        looked += 1
    assert looked > 300


def test_no_other_key_may_be_there():
    record = record_of()
    parts = [path for path in places(record) if path[:-1] not in MAPS and isinstance(path[-1], str)]
    for path in {(*path[:-1], "further") for path in parts} - {(*one, "further") for one in MAPS}:
        if path[-2:-1] == ("concerns",):
            continue
        with pytest.raises(BundleError):
            BundleManifest.from_dict(changed(record, path, 1))


def test_no_value_may_be_of_another_kind():
    record = record_of()
    for path in places(record):
        with pytest.raises(BundleError):
            BundleManifest.from_dict(changed(record, path, {"other": ["kind"]}))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("network", "size"), "64", "Expected `int`, got `str` - at `$.network.size`"),
        (("metrics", "auroc", "estimate"), None, "Expected `float`, got `null`"),
        (("gate", "limits", "scale", "refused"), 2.0, "two bounds of 'scale'"),
        (("metrics", "auroc", "further"), 1, "missing or unknown keys at `$.metrics.auroc`"),
        (("gate",), REMOVED, "missing required field `gate`"),
    ],
)
def test_a_refusal_names_the_place(path, value, said):
    with pytest.raises(BundleError) as caught:
        BundleManifest.from_dict(changed(record_of(), path, value))
    assert said in str(caught.value)


def test_a_standard_error_is_kept():
    record = changed(record_of(), ("metrics", "auroc", "standard_error"), 0.125)
    manifest = BundleManifest.from_dict(record)
    assert manifest.metrics["auroc"].standard_error == 0.125
    assert manifest.to_dict() == record


def test_a_seal_is_over_all_but_itself():
    manifest = BundleManifest.from_dict(record_of()).sealed({"x": FileEntry(sha256="ab", bytes=3)})
    record = manifest.to_dict()
    assert record["files"] == {"x": {"sha256": "ab", "bytes": 3}}
    assert record["seal"] == seal_of(record | {"seal": "other"})
    assert record["seal"] != seal_of(record | {"prevalence": 0.5})


@pytest.mark.parametrize("record", RECORDS)
def test_the_schema_accepts_what_is_written(record):
    validator = pytest.importorskip("jsonschema_rs").validator_for(json_schema())
    validator.validate(record)
    assert not validator.is_valid(changed(record, ("gate",), REMOVED))
    assert not validator.is_valid(changed(record, ("metrics", "auroc", "further"), 1))
    assert not validator.is_valid(changed(record, ("metrics", "auroc", "unit"), REMOVED))
