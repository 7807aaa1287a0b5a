"""Examples for the OpenAPI document: made up, of no photograph."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from melanoscope.inference.explain.integrated_gradients import DEFAULT_BASELINE, DEFAULT_STEPS
from melanoscope.inference.quality.issues import ADVICE, BLURRED
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import DISCLAIMER
from melanoscope.service.http.multipart import (
    broken_form,
    not_multipart,
    slow_upload,
    too_large,
)
from melanoscope.service.http.problems import Problem, busy, internal_error
from melanoscope.service.settings import Settings

_FINGERPRINT = "9f2c" * 16
_SENSITIVITY = {"estimate": 0.951, "low": 0.921, "high": 0.974, "n": 268}
_SPECIFICITY = {"estimate": 0.498, "low": 0.455, "high": 0.542, "n": 404}

ANSWER: dict[str, Any] = {
    "status": "doubtful",
    "concerns": [
        {
            "kind": BLURRED,
            "severity": "doubtful",
            "found": "sharpness 0.61, below 0.65",
            "advice": ADVICE[BLURRED],
        }
    ],
    "probability": 0.034,
    "prevalence": 0.0176,
    "decisions": [
        {
            "key": "sensitivity_95",
            "name": "95 % sensitivity",
            "meaning": "finds 95 of 100 melanomas of the validation part",
            "threshold": 0.011,
            "positive": True,
            "sensitivity": _SENSITIVITY,
            "specificity": _SPECIFICITY,
        }
    ],
    "standing": {"among_melanomas": 0.31, "among_others": 0.82},
    "evidence": {
        "photograph": 0.4,
        "age": -0.05,
        "sex": 0.01,
        "site": 0.04,
        "bias": -0.2,
        "logit": 0.2,
        "places": [[0.25, 0.05], [0.15, -0.05]],
    },
    "person": {"age": 45.0, "sex": "female", "site": "torso"},
    "quality": asdict(measure_quality(np.full((32, 32, 3), (210, 160, 140), np.uint8), 1024, 768)),
    "distance": 71.3,
    "network": "MobileNetV2",
    "simulated": False,
    "forced": False,
    "disclaimer": DISCLAIMER,
    "bundle": _FINGERPRINT,
}
"""Body of a diagnosis."""

EXPLANATION: dict[str, Any] = {
    "method": "gradients",
    "values": [[0.251, 0.048], [0.153, -0.051]],
    "baseline": DEFAULT_BASELINE,
    "steps": DEFAULT_STEPS,
    "difference": 0.4,
    "completeness_error": 0.0025,
    "bundle": _FINGERPRINT,
}
"""Body of an explanation."""

REQUEST_ID = "0b9c6f2e-3c1d-4e57-9a40-6f1f6f2c7a11"
"""UUID of no request."""

PROBLEMS = {
    problem.kind: problem
    for problem in (
        broken_form("a truncated one"),
        slow_upload(Settings()),
        Problem(
            "not-acceptable",
            "application/json or image/png in Accept",
            "'text/html'",
            "ask for one of them",
        ),
        Problem("length-required", "a Content-Length", "a body in chunks", "state the length"),
        too_large(Settings()),
        not_multipart("'application/json'"),
        Problem("invalid-field", "a known site", "'tors'", "nearest: torso", field="site"),
        Problem("no-such-file", "one of model.onnx", "'model.pt'", "see the record's graphs"),
        internal_error(),
        busy("fewer than 128 waiting requests", "as many", 2),
        Problem("not-ready", "a network that answers", "one that has not answered yet", "wait"),
        Problem(
            "took-too-long",
            "an answer within 30 s",
            "none yet",
            "try again later, with a smaller photograph or fewer steps",
        ),
    )
}
"""A problem of every kind that a route describes, by its kind."""
