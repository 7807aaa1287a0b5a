"""The description holds: its examples, and whatever schemathesis makes of it."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from melanoscope.inference.explain.integrated_gradients import DEFAULT_BASELINE, DEFAULT_STEPS
from melanoscope.inference.quality.issues import ADVICE
from melanoscope.inference.result import DISCLAIMER
from melanoscope.service.app import create_app
from melanoscope.service.http.problems import KINDS, busy, internal_error
from melanoscope.service.openapi import EXAMPLES
from melanoscope.service.schemas import Answer, Explanation, ProblemDocument
from melanoscope.service.settings import Settings

from .conftest import BOUNDARY, dark, form, photograph
from .pretend import Pretended, pretended_bundle

PHOTOGRAPHS = (photograph(), photograph(64, "PNG"), dark(), b"", b"nothing", photograph()[:700])


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    predictor = Pretended(pretended_bundle(tmp_path_factory.mktemp("described")))
    limits = Settings(workers=1, steps=8, allowed_hosts=("testserver",))
    return create_app(predictor, limits, None)


@pytest.fixture(scope="module")
def described(app):
    schemathesis.openapi.format("binary", st.sampled_from(PHOTOGRAPHS))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


# Some of these photographs are none. And a form holds text, in which nothing, an empty text and an
# empty list are one and the same; what is refused is for test_bad_input to say.
NOT_HELD_TO = [checks.positive_data_acceptance, checks.negative_data_rejection]
TAKING = ("POST /v1/diagnoses", "POST /v1/explanations", "GET /v1/bundle/files/{name}")
GIVING = ("GET /v1/bundle", "GET /healthz", "GET /readyz", "GET /metrics")


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        *((one, GenerationMode.POSITIVE) for one in TAKING + GIVING),
        *((one, GenerationMode.NEGATIVE) for one in TAKING),
    ],
)
def test_the_description_holds(described, operation, mode):
    method, path = operation.split()

    @given(described[path][method].as_strategy(mode))
    @settings(
        max_examples=40, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def holds(case):
        case.call_and_validate(excluded_checks=NOT_HELD_TO)

    holds()


def test_examples_are_what_they_are_examples_of(app):
    paths = app.openapi()["paths"]
    for path, model in (("diagnoses", Answer), ("explanations", Explanation)):
        responses = paths[f"/v1/{path}"]["post"]["responses"]
        example = responses["200"]["content"]["application/json"]["example"]
        model.model_validate_json(json.dumps(example), strict=True)
        for status in ("400", "408", "413", "415", "422", "500", "503", "504"):
            problem = responses[status]["content"]["application/problem+json"]["example"]
            ProblemDocument.model_validate(problem)
            assert problem["status"] == int(status)
        assert responses["503"]["headers"]["Retry-After"]


def test_examples_say_what_the_service_says(service):
    """They are data, and would not follow a change of its words by themselves."""
    answer, explanation = EXAMPLES["answer"], EXAMPLES["explanation"]
    assert answer["disclaimer"] == DISCLAIMER
    assert [issue["advice"] for issue in answer["concerns"]] == [ADVICE["blurred"]]
    assert explanation["baseline"] == DEFAULT_BASELINE
    assert explanation["steps"] == DEFAULT_STEPS
    post, path = service.client.post, "/v1/diagnoses"
    truncated = form(photograph())[:-20]
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    for response in (
        post(path, content=truncated, headers=kind),
        post(path, content=b"x" * 25_000_001, headers=kind),
        post(path, content=iter([b"a chunk"]), headers=kind),
        post(path, json={}),
        service.diagnose(photograph(), site="tors"),
        service.explain(photograph(), accept="text/html"),
    ):
        problem = response.json()
        expected = EXAMPLES["problems"][problem["type"].rpartition(":")[2]]
        assert {name: problem[name] for name in expected} == expected
    problems = EXAMPLES["problems"]
    assert problems["internal"] == internal_error().members
    assert problems["busy"] == busy("fewer than 128 waiting requests", "as many", 2).members


def test_every_route_is_described(app):
    paths = app.openapi()["paths"]
    assert set(paths) == {
        *("/v1/diagnoses", "/v1/explanations", "/v1/bundle", "/v1/bundle/files/{name}"),
        *("/healthz", "/readyz", "/metrics"),
    }
    assert "HTTPValidationError" not in json.dumps(app.openapi())


def test_forms_are_described_field_by_field(app):
    document = app.openapi()
    forms = {}
    for path in ("diagnoses", "explanations"):
        body = document["paths"][f"/v1/{path}"]["post"]["requestBody"]
        reference = body["content"]["multipart/form-data"]["schema"]["$ref"]
        forms[path] = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert body["required"]
        assert forms[path]["required"] == ["photograph"]
        assert forms[path]["additionalProperties"] is False
        assert (
            "25 MB and 64 million pixels" in forms[path]["properties"]["photograph"]["description"]
        )
    diagnosis, explanation = (form["properties"] for form in forms.values())
    assert list(diagnosis) == ["photograph", "age", "sex", "site", "prevalence", "force"]
    assert list(explanation) == [*diagnosis, "method", "baseline", "steps"]
    assert (diagnosis["age"]["minimum"], diagnosis["age"]["maximum"]) == (0, 120)
    assert diagnosis["prevalence"]["exclusiveMaximum"] == 1
    assert "torso" in diagnosis["site"]["enum"]
    assert explanation["steps"]["maximum"] == 8  # of these settings
    assert explanation["method"]["enum"] == ["evidence", "gradients"]


def test_kinds_of_problems_have_a_status_and_a_title():
    for kind, (status, title) in KINDS.items():
        assert 400 <= status < 600
        assert title[0].isupper(), kind
