"""How each route is described: what it takes, what it gives, what can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from melanoscope import patient
from melanoscope.inference.explain.integrated_gradients import (
    BASELINES,
    DEFAULT_BASELINE,
    DEFAULT_STEPS,
)
from melanoscope.service import examples
from melanoscope.service.http.problems import KINDS, MEDIA_TYPE
from melanoscope.service.routes.form_fields import METHODS
from melanoscope.service.schemas import (
    Alive,
    Answer,
    BundleInfo,
    Explanation,
    ProblemDocument,
    Ready,
)

if TYPE_CHECKING:
    from fastapi import FastAPI

    from melanoscope.service.settings import Settings

Description = dict[str, Any]

_ASKING = (
    *("broken-request", "slow-upload", "length-required", "too-large", "not-multipart"),
    "invalid-field",
    *("internal", "busy", "took-too-long"),
)
_MEANINGS = {
    400: "No whole form.",
    404: "No such file.",
    406: "Neither JSON nor PNG is wanted.",
    408: "The form took too long to arrive.",
    411: "The length is not stated.",
    413: "Too large.",
    415: "No multipart form.",
    422: "A field that cannot be, or a photograph that cannot be read or is refused.",
    500: "A mistake of ours.",
    503: "Too many requests are waiting; Retry-After says when to come again.",
    504: "The answer took too long.",
}


def diagnosis(settings: Settings) -> Description:
    """Describe POST /v1/diagnoses."""
    return {
        "summary": "Diagnose a photograph",
        "description": "The answer to one photograph of a lesion. That a photograph is refused, "
        "with what to do better, is an answer, too. Nothing is kept.",
        "response_description": "The answer.",
        "responses": {200: _json(Answer, examples.ANSWER)} | _problems(*_ASKING),
        "openapi_extra": _form(_person(), settings),
    }


def explanation(settings: Settings) -> Description:
    """Describe POST /v1/explanations."""
    how = {
        "method": {
            "type": "string",
            "enum": list(METHODS),
            "default": "evidence",
            "description": "The evidence of each place, or Integrated Gradients of each pixel.",
        },
        "baseline": {
            "type": "string",
            "enum": list(BASELINES),
            "default": DEFAULT_BASELINE,
            "description": "Of Integrated Gradients: what counts as nothing.",
        },
        "steps": {
            "type": "integer",
            "minimum": 1,
            "maximum": settings.steps,
            "default": DEFAULT_STEPS,
            "description": "Of Integrated Gradients; doubled until their sum is exact to 2 %, or "
            f"there are {settings.steps}.",
        },
    }
    found = _json(Explanation, examples.EXPLANATION)
    found["content"]["image/png"] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "Explain an answer",
        "description": "Where in the photograph the answer comes from: numbers (JSON), or drawn "
        "over the photograph (PNG), as Accept says.",
        "response_description": "The explanation.",
        "responses": {200: found} | _problems(*_ASKING, "not-acceptable"),
        "openapi_extra": _form({**_person(), **how}, settings),
    }


def bundle() -> Description:
    """Describe GET /v1/bundle."""
    return {
        "summary": "What answers",
        "description": "The bundle's record (thresholds, held-out metrics) and model card.",
        "responses": {200: _json(BundleInfo), 304: {"description": "Known (If-None-Match)."}},
    }


def graph() -> Description:
    """Describe GET /v1/bundle/files/{name}."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "A graph of the bundle",
        "description": "For devices that answer by themselves. With ?v= and the file's sha256 it "
        "may be kept for ever.",
        "responses": {
            200: {
                "description": "An ONNX graph.",
                "content": {"application/octet-stream": binary},
            },
            206: {
                "description": "Part of one (Range).",
                "content": {"application/octet-stream": binary},
            },
            304: {"description": "Known (If-None-Match)."},
            416: {"description": "No such part."},
        }
        | _problems("no-such-file"),
        "openapi_extra": {
            "parameters": [
                {
                    "name": "name",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "model.onnx",
                },
                {
                    "name": "v",
                    "in": "query",
                    "description": "sha256 of the file; another than the bundle's is 404.",
                    "schema": {"type": "string"},
                },
            ]
        },
    }


def health() -> Description:
    """Describe GET /healthz."""
    return {"summary": "Whether the process answers", "responses": {200: _json(Alive)}}


def readiness() -> Description:
    """Describe GET /readyz."""
    return {
        "summary": "Whether the network has answered a first photograph",
        "responses": {200: _json(Ready)} | _problems("not-ready"),
    }


def metrics() -> Description:
    """Describe GET /metrics."""
    text = {"description": "Prometheus' text format.", "content": {"text/plain": {}}}
    return {"summary": "Counters", "responses": {200: text}}


def describe(app: FastAPI) -> Description:
    """Return the whole description."""
    if app.openapi_schema is None:
        whole = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        schemas = whole.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = ProblemDocument.model_json_schema()
        app.openapi_schema = whole
    return app.openapi_schema


def _person() -> Description:
    return {
        "age": {
            "type": "number",
            "minimum": 0,
            "maximum": patient.MAX_AGE,
            "description": "Years. Like every field it may be left out or sent empty.",
        },
        "sex": {"type": "string", "enum": list(patient.SEXES)},
        "site": {
            "type": "string",
            "enum": list(patient.SITES),
            "description": "Where the lesion is.",
        },
        "prevalence": {
            "type": "number",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1,
            "description": "Share of melanomas to assume; the bundle's where it is not said.",
        },
        "force": {
            "type": "string",
            "enum": ["true", "false"],
            "default": "false",
            "description": "Answer also what the quality gate refuses.",
        },
    }


def _form(fields: Description, settings: Settings) -> Description:
    photograph = {
        "type": "string",
        "format": "binary",
        "description": "JPEG, PNG, WebP, TIFF, BMP, HEIC or AVIF (told by its content), of at most "
        f"{settings.request_bytes / 1e6:g} MB and {settings.pixels / 1e6:g} million pixels. "
        "Its name is not looked at.",
    }
    schema = {
        "type": "object",
        "properties": {"photograph": photograph, **fields},
        "required": ["photograph"],
        "additionalProperties": False,
    }
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _json(model: type, example: Any = None) -> Description:
    content = {} if example is None else {"application/json": {"example": example}}
    return {"model": model, "content": content}


def _problems(*kinds: str) -> dict[int, Description]:
    found: dict[int, Description] = {}
    for kind in kinds:
        status = KINDS[kind][0]
        found[status] = {
            "description": _MEANINGS[status],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": examples.problem(kind),
                }
            },
        }
        if status == 503:
            found[status]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
            }
    return found
