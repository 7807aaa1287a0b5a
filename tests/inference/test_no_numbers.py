"""What is not a finite number never reads "not suspicious": in Python, in tables, by HTTP."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

import melanoscope
from melanoscope.errors import BundleError
from melanoscope.inference.batch.run import diagnose_table
from melanoscope.inference.explain.integrated_gradients import integrated_gradients
from melanoscope.inference.quality.issues import NO_ANSWER
from melanoscope.json_text import json_text

from .broken_graphs import graph_of, write_bundle

BAD = [float("nan"), float("inf"), float("-inf")]
NAMES = {
    "logit": "logit",
    "distance": "distance",
    "evidence": "evidence of the photograph",
    "static_evidence": "evidence of age, sex and site",
}


def strict(text):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("photograph") / "a.png"
    pixels = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")

    def bundle(output, value):
        one = folder / f"{output}-{value}"
        return one if one.exists() else write_bundle(one, graph_of({output: value}))

    return bundle


def test_a_whole_graph_answers(bundles, photograph):
    diagnosis = melanoscope.load(bundles("logit", -3.0), threads=1).diagnose(photograph)
    assert diagnosis.status == "accepted"
    assert diagnosis.probability is not None
    assert not any(one.positive for one in diagnosis.decisions)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("output", NAMES)
def test_no_number_is_a_refusal_that_nothing_overrides(bundles, photograph, output, value, force):
    predictor = melanoscope.load(bundles(output, value), threads=1)
    diagnosis = predictor.diagnose(photograph, age=40, force=force)
    assert diagnosis.status == "refused"
    assert not diagnosis.forced
    assert not diagnosis.can_be_forced
    assert diagnosis.concerns[-1].kind == NO_ANSWER
    assert diagnosis.concerns[-1].found == f"not a finite number: {NAMES[output]}"
    document = strict(json_text(diagnosis.to_dict()))
    for name in ("probability", "standing", "evidence"):
        assert document[name] is None
    assert document["decisions"] == []
    assert (document["distance"] is None) == (output == "distance")


def test_a_table_says_refused_and_writes_no_number(bundles, photograph, tmp_path):
    table = tmp_path / "photographs.csv"
    table.write_text(f"photograph\n{photograph}\n")
    predictor = melanoscope.load(bundles("logit", BAD[0]), threads=1)
    summary = diagnose_table(predictor, table, tmp_path / "out.csv", force=True)
    (row,) = csv.DictReader((tmp_path / "out.csv").open())
    assert summary.refused == 1
    assert row["status"] == "refused"
    assert NO_ANSWER in row["concerns"]
    assert [row[n] for n in ("probability", "main", "other", "logit")] == [""] * 4
    assert not {"nan", "inf", "-inf"} & set(row.values())


def test_the_service_refuses_too(bundles, photograph):
    client_of = pytest.importorskip("starlette.testclient").TestClient
    from melanoscope.service.app import create_app
    from melanoscope.service.settings import Settings

    predictor = melanoscope.load(bundles("logit", BAD[0]), threads=1)
    with client_of(create_app(predictor, Settings(), None), base_url="http://localhost") as client:
        files = {"photograph": ("a.png", photograph.read_bytes(), "image/png")}
        for force in ("false", "true"):
            reply = client.post("/v1/diagnoses", files=files, data={"force": force})
            assert reply.status_code == 200, reply.text
            answer = strict(reply.text)
            assert (answer["status"], answer["probability"]) == ("refused", None)
        reply = client.post("/v1/explanations", files=files, data={"force": "true"})
        assert reply.status_code == 422
        assert "force=true" not in reply.json()["mend"]


def test_gradients_that_are_no_numbers_are_no_explanation():
    def function(images):
        return np.zeros(len(images)), np.full(images.shape, np.nan)

    with pytest.raises(BundleError, match="finite gradients"):
        integrated_gradients(function, np.zeros((16, 16, 3), np.uint8), baseline="black")
