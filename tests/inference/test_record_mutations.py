"""Each leaf of a whole bundle.json replaced by what cannot be: refused in one line, or harmless."""

from __future__ import annotations

import contextlib
import copy
import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melanoscope.errors import BundleError
from melanoscope.inference.bundle import MANIFEST, Bundle, open_bundle
from melanoscope.inference.manifest import BundleManifest, seal_of
from melanoscope.inference.manifest_json import MAX_BYTES, parse_record
from melanoscope.inference.postprocess import ModelOutput, PostProcessor
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.json_text import json_text
from melanoscope.patient import PatientInfo

from .broken_graphs import graph_of, write_bundle, write_record
from .test_manifest import RECORDS, REMOVED, changed, places

REPLACEMENTS = [
    "\ud800", None, math.nan, math.inf, -1, 0, 1e24, 10**24, 10**400, "", "x", [], {}, True,
    REMOVED,
]  # fmt: skip
PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
QUALITY = measure_quality(PIXELS, 640, 480)


def as_file(record):
    """The bytes of a record as anybody can seal it, NaN and infinity written as Python does."""
    try:
        seal = seal_of(record)
    except ValueError:  # no canonical form; the reader must find that by itself
        seal = "0" * 64
    return json.dumps(record | {"seal": seal}).encode()


def is_one_line(error):
    assert str(error).isprintable()


def check_answers(manifest, folder):
    """Answers of a manifest that was accepted are finite and in range, for any logit."""
    try:
        processor = PostProcessor.from_bundle(Bundle(folder, manifest, ""), "float32")
    except BundleError as error:
        is_one_line(error)
        return
    for logit in (-40.0, 0.3, 40.0):
        output = ModelOutput(np.ones((2, 2)), np.zeros(8), logit, 1.0)
        options = {"prevalence": manifest.prevalence, "force": True}
        diagnosis = processor.to_diagnosis(output, QUALITY, PatientInfo(), **options)
        shares = [diagnosis.probability, *(one.threshold for one in diagnosis.decisions)]
        shares += [diagnosis.standing.among_positives, diagnosis.standing.among_others]
        for one in diagnosis.decisions:
            for interval in (one.sensitivity, one.specificity):
                if interval is not None:
                    shares += [interval.low, interval.estimate, interval.high]
        assert all(0 <= share <= 1 for share in shares), shares
        document = json_text(diagnosis.to_dict())
        json.loads(document, parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.torture)])
def test_no_leaf_can_be_replaced_by_what_cannot_be(tmp_path, step):
    taken = looked = 0
    for number, path in enumerate(places(RECORDS[0])):
        if isinstance(value_at(RECORDS[0], path), dict | list) and path[0] != "thresholds":
            continue
        for replacement in REPLACEMENTS[number % step :: step]:
            record = changed(RECORDS[0], path, replacement)
            looked += 1
            try:
                manifest = BundleManifest.from_dict(parse_record(as_file(record), "'x'"))
            except BundleError as error:
                is_one_line(error)
                continue
            taken += 1
            if taken % 5 == 0 or path[0] not in ("training", "data", "subgroups", "licence"):
                check_answers(manifest, tmp_path)
    assert looked > 4000 / step
    assert 100 / step < taken < looked / 5


def value_at(record, path):
    for key in path:
        record = record[key]
    return record


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("calibration", "temperature"), -1.0),
        (("calibration", "temperature"), 0),
        (("calibration", "temperature"), 1e24),
        (("calibration", "prevalence"), 1),
        (("prevalence",), 0),
        (("thresholds", 0, "logit"), 1e24),
        (("thresholds", 0, "key"), "=HYPERLINK(1)"),
        (("thresholds", 1, "key"), "main"),
        (("thresholds", 0, "sensitivity", "estimate"), 1.5),
        (("thresholds", 0, "sensitivity", "high"), -1),
        (("metrics", "auroc", "standard_error"), -1),
        (("metrics", "auroc", "confidence"), 1),
        (("heldout", "positive_logits"), [1.0, 0.0]),
        (("heldout", "other_logits"), []),
        (("heldout", "positives"), 10**6),
        (("gate", "distance", "float32", "doubtful_above"), 1e9),
        (("gate", "distance", "float32", "refused_above"), 1e39),
        (("gate", "limits", "clutter", "refused"), 1e24),
        (("network", "size"), 10**6),
        (("network", "size"), 65),
        (("network", "with_static"), False),
        (("static", "features", 0), "other"),
        (("files", "model.onnx", "sha256"), "x"),
        (("files", "model.onnx", "bytes"), -1),
        (("created",), "\x1b[2J"),
        (("schema",), True),
        (("schema",), 2.0),
    ],
)
def test_what_cannot_be_names_its_place(path, value):
    with pytest.raises(BundleError) as caught:
        BundleManifest.from_dict(
            parse_record(as_file(changed(RECORDS[0], path, value)), "'bundle.json'")
        )
    line = str(caught.value)
    assert "$." in line or any(str(one) in line for one in path[-2:])
    assert "\x1b" not in line


WHOLE = json.dumps(RECORDS[0])
DEEP = '{"a":' * 3000 + "1" + "}" * 3000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE.replace('"schema": 2', '"schema": 2, "schema": 2'), "the key 'schema' twice"),
        (WHOLE.replace('"bytes": 7', '"bytes": NaN', 1), "the number NaN"),
        (WHOLE.replace('"bytes": 7', '"bytes": -Infinity', 1), "the number -Infinity"),
        (WHOLE.replace('"bytes": 7', '"bytes": 1e999', 1), "the number '1e999'"),
        (WHOLE.replace('"bytes": 7', f'"bytes": {"9" * 9999}', 1), "something else"),
        (WHOLE.replace('"bytes": 7', f'"bytes": {DEEP}', 1), ""),
        ("[" * 10**6, "something else"),
        ('{"schema": 2, "name": "\\ud800"}', "a changed record"),
        ('{"schema": ' + "9" * 4000 + "}", "schema 9999"),
    ],
)
def test_json_that_readers_disagree_about_is_refused(text, words):
    with pytest.raises(BundleError) as caught:
        BundleManifest.from_dict(parse_record(text.encode(), "'bundle.json'"))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_nested_record_with_a_right_seal_is_refused():
    record = copy.deepcopy(RECORDS[0])
    inner = record["training"]["recipe"] = {}
    for _ in range(400):
        inner["a"] = inner = {}
    with pytest.raises(BundleError):
        BundleManifest.from_dict(parse_record(as_file(record), "'bundle.json'"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bytes") / "bundle", graph_of())


def test_a_huge_record_is_not_read(kept, tmp_path):
    with (tmp_path / MANIFEST).open("wb") as file:
        file.truncate(2**36)  # sparse
    with pytest.raises(BundleError, match=f"at most {MAX_BYTES} bytes"):
        open_bundle(tmp_path)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_bytes_of_any_file_changed_anyhow(kept, data):
    """Hypothesis changes bytes; the record is sealed anew where it still is one."""
    name = data.draw(st.sampled_from(sorted(path.name for path in kept.iterdir())))
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    content = bytearray(before[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        (kept / name).write_bytes(content)
        if name == MANIFEST and data.draw(st.booleans()):
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                write_record(kept, json.loads(content))
        same = {path.name: path.read_bytes() for path in kept.iterdir()} == before
        try:
            manifest = open_bundle(kept).manifest
        except BundleError as error:
            is_one_line(error)
            assert not same
        else:
            check_answers(manifest, kept)
    finally:
        for one, original in before.items():
            (kept / one).write_bytes(original)
