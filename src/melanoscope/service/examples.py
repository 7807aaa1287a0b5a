"""Examples for the OpenAPI description: made up, of no photograph."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from melanoscope.inference.explain.integrated_gradients import DEFAULT_BASELINE, DEFAULT_STEPS
from melanoscope.inference.quality.issues import ADVICE, BLURRED
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import DISCLAIMER
from melanoscope.service.http.problems import KINDS, SPACE

_FINGERPRINT = "9f2c" * 16
_SHARE = {"estimate": 0.951, "low": 0.921, "high": 0.974, "n": 268}
_OTHER_SHARE = {"estimate": 0.498, "low": 0.455, "high": 0.542, "n": 404}

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
            "sensitivity": _SHARE,
            "specificity": _OTHER_SHARE,
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

EXPLANATION: dict[str, Any] = {
    "method": "gradients",
    "values": [[0.251, 0.048], [0.153, -0.051]],
    "baseline": DEFAULT_BASELINE,
    "steps": DEFAULT_STEPS,
    "difference": 0.4,
    "completeness_error": 0.0025,
    "bundle": _FINGERPRINT,
}

_CLAUSES = {
    "broken-request": ("a whole multipart form", "a truncated one", "send it again"),
    "slow-upload": (
        "the photograph within 60 seconds, without pauses of more than 10",
        "a part of it",
        "try again with a better connection, or send a smaller photograph",
    ),
    "not-acceptable": (
        "application/json or image/png in Accept",
        "'text/html'",
        "ask for one of them",
    ),
    "length-required": ("a Content-Length", "a body in chunks", "state the length"),
    "too-large": (
        "a request of at most 25 MB",
        "a larger one",
        "send a smaller photograph, as JPEG for example",
    ),
    "not-multipart": (
        "multipart/form-data, not encoded",
        "'application/json'",
        "send a form with the file in the field 'photograph'",
    ),
    "invalid-field": ("a known site", "'tors'", "nearest: torso"),
    "no-such-file": ("one of model.onnx", "'model.pt'", "see the record's graphs"),
    "internal": ("an answer", "a mistake of ours", "try again later"),
    "busy": ("fewer than 128 waiting requests", "as many", "try again in 2 s"),
    "not-ready": ("a network that answers", "one that has not answered yet", "wait"),
    "took-too-long": (
        "an answer within 30 s",
        "none yet",
        "try again later, with a smaller photograph or fewer steps",
    ),
}


def problem(kind: str) -> dict[str, Any]:
    """Return an example of a kind of problem."""
    status, title = KINDS[kind]
    expected, found, mend = _CLAUSES[kind]
    return {
        "type": SPACE + kind,
        "title": title,
        "status": status,
        "detail": f"expected {expected}; found {found}; {mend}",
        "instance": "urn:uuid:0b9c6f2e-3c1d-4e57-9a40-6f1f6f2c7a11",
        "expected": expected,
        "found": found,
        "mend": mend,
    }
