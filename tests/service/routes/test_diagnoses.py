"""What good requests get."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from melanoscope.service.schemas import Answer, Explanation

from ..conftest import Service, dark, is_problem, photograph
from ..pretend import PX


def test_a_photograph_is_answered(service: Service):
    response = service.diagnose(photograph(), age="45", sex="Female", site="torso")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    Answer.model_validate_json(json.dumps(answer), strict=True)
    assert answer["status"] == "accepted"
    assert answer["person"] == {"age": 45.0, "sex": "female", "site": "torso"}
    assert answer["bundle"] == "f" * 64
    parts = ("photograph", "age", "sex", "site", "bias")
    evidence = answer["evidence"]
    assert sum(evidence[part] for part in parts) == pytest.approx(evidence["logit"])


def test_nothing_but_a_photograph_is_needed(service: Service):
    answer = service.diagnose(photograph(kind="PNG")).json()
    assert answer["person"] == {"age": None, "sex": "unknown", "site": "unknown"}
    assert answer["prevalence"] == 0.0176
    empty = service.diagnose(photograph(), age="", sex=" ", site="", prevalence="", force="")
    assert empty.json()["person"] == answer["person"]
    assert service.diagnose(photograph(), age="nan").json()["person"]["age"] is None
    method = service.explain(photograph(), method=" ", baseline="", steps=" ")
    assert method.json()["method"] == "evidence"


def test_a_dicom_file_is_a_photograph(service: Service):
    pytest.importorskip("pydicom")
    from tests.imaging import dicoms

    frame = photograph(quality=95)
    content = dicoms.coded([frame], (96, 96), "YBR_FULL_422", dicoms.JPEG)
    answer, other = service.diagnose(content), service.diagnose(frame)
    assert answer.status_code == 200
    assert answer.json()["evidence"] == other.json()["evidence"]
    assert dicoms.OWNER not in answer.text


def test_a_refusal_is_an_answer(service: Service):
    refused = service.diagnose(dark()).json()
    Answer.model_validate_json(json.dumps(refused), strict=True)
    assert refused["status"] == "refused"
    assert refused["probability"] is refused["evidence"] is None
    assert refused["concerns"][0]["advice"]
    forced = service.diagnose(dark(), force="true").json()
    assert forced["status"] == "doubtful"
    assert forced["forced"]
    assert service.diagnose(dark(), force="false").json()["status"] == "refused"


def test_a_prevalence_is_passed_on(service: Service):
    assert service.diagnose(photograph(), prevalence="0.25").json()["prevalence"] == 0.25


def test_the_content_tells_the_format_and_not_the_name(service: Service):
    files = {"photograph": ("page.html", photograph(), "text/html")}
    assert service.client.post("/v1/diagnoses", files=files).status_code == 200


def test_evidence_is_explained(service: Service):
    response = service.explain(photograph(), method="evidence")
    explanation = response.json()
    Explanation.model_validate_json(json.dumps(explanation), strict=True)
    assert np.sum(explanation["values"]) == pytest.approx(explanation["difference"])
    assert explanation["steps"] is explanation["baseline"] is None
    assert response.headers["vary"] == "Accept"
    assert service.explain(photograph()).json() == explanation  # what is always there


def test_gradients_are_explained(service: Service):
    fields = {"method": "gradients", "baseline": "mean skin", "steps": "16"}
    explanation = service.explain(photograph(), **fields).json()
    Explanation.model_validate_json(json.dumps(explanation), strict=True)
    assert np.shape(explanation["values"]) == (PX, PX)
    assert (explanation["baseline"], explanation["steps"]) == ("mean skin", 16)


@pytest.mark.parametrize("method", ["evidence", "gradients"])
def test_explanations_are_drawn(service: Service, method):
    response = service.explain(photograph(), accept="image/png", method=method)
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.format == "PNG"
        assert image.size[0] == image.size[1] >= 420
        assert not image.info


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("image/*", "image/png"),
        ("application/*", "application/json"),
        ("text/html, image/png;q=0.8, */*;q=0.1", "image/png"),
        ("image/png;q=0.2, application/json;q=0.9", "application/json"),
        ("application/json;q=0, */*", "image/png"),
    ],
)
def test_accept_chooses(service: Service, accept, media):
    assert service.explain(photograph(), accept=accept).headers["content-type"] == media


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=0", "image/jpeg;q=x", "<b>"])
def test_what_cannot_be_sent_is_406(service: Service, accept):
    is_problem(service.explain(photograph(), accept=accept), 406, "not-acceptable")


def test_what_is_refused_is_explained_only_if_forced(service: Service):
    problem = is_problem(service.explain(dark()), 422, "refused-photograph")
    assert problem["concerns"][0]["kind"] == "too dark"
    assert service.explain(dark(), force="true").status_code == 200


def test_a_bundle_without_gradients_says_so(serve):
    service = serve(explains=False)
    problem = is_problem(service.explain(photograph(), method="gradients"), 422, "no-gradients")
    assert "evidence" in problem["mend"]
    assert service.explain(photograph(), method="evidence").status_code == 200
