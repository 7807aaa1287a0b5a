"""The parts of the OpenAPI document that FastAPI does not derive: problems and examples."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from melanoscope.service.http.problems import KINDS, MEDIA_TYPE, Problem
from melanoscope.service.schemas import ProblemDocument

if TYPE_CHECKING:
    from fastapi import FastAPI

    from melanoscope.target import Target

EXAMPLES: Any = json.loads(files(__package__).joinpath("examples.json").read_text("utf-8"))
"""An answer, an explanation, and members of a problem of each kind: made up, of no photograph."""

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""Media type object of a file."""

FORM_PROBLEMS = (
    *(
        "broken-request",
        "foreign-origin",
        "slow-upload",
        "length-required",
        "too-large",
        "not-multipart",
    ),
    *("invalid-field", "internal", "busy", "took-too-long"),
)
"""Kinds of problems of every route that reads a form."""

_REQUEST_ID = "0b9c6f2e-3c1d-4e57-9a40-6f1f6f2c7a11"  # of no request
_DESCRIPTIONS = {
    400: "No whole form.",
    403: "Sent by a page of another origin.",
    404: "No such file.",
    406: "Neither JSON nor PNG is wanted.",
    408: "The form took too long to arrive.",
    411: "The length is not stated.",
    413: "Too large.",
    415: "No multipart form.",
    421: "The Host header holds a name that is not the service's.",
    422: "A field that cannot be, or a photograph that cannot be read or is refused.",
    500: "A mistake of ours.",
    503: "Too many requests are waiting; Retry-After says when to come again.",
    504: "The answer took too long.",
}


def example_answer(target: Target) -> dict[str, Any]:
    """Return the example of an answer of a bundle of this target."""
    answer: dict[str, Any] = EXAMPLES["answer"]
    decisions = [
        {**one, "meaning": one["meaning"].format(plural=target.plural)}
        for one in answer["decisions"]
    ]
    return {**answer, "decisions": decisions, "target": target.name}


def problem_responses(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return the response objects of some `kinds` of problems, for the `responses` of a route."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = KINDS[kind].status
        schema = {"$ref": "#/components/schemas/Problem"}
        example = Problem(kind, **EXAMPLES["problems"][kind]).document(_REQUEST_ID)
        responses[status] = {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
        }
        if status == 503:
            responses[status]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
            }
    return responses


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, for its method `openapi`."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        schemas = document["components"]["schemas"]
        schemas["Problem"] = ProblemDocument.model_json_schema()
        # FastAPI gives every route with parameters its own 422, which none of these ever sends.
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operation in (op for path in document["paths"].values() for op in path.values()):
            if "application/json" in operation["responses"].get("422", {}).get("content", ()):
                del operation["responses"]["422"]
            if "requestBody" in operation:
                body = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
                schemas[body["$ref"].rpartition("/")[2]]["additionalProperties"] = False
        app.openapi_schema = document
    return app.openapi_schema
