"""Patients as they are stated, and what the package makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from melanoscope import patient
from melanoscope.errors import DataError
from melanoscope.inference.explain import shapley
from melanoscope.patient import PatientInfo


def patients() -> dict[str, Any]:
    """Patients as they are stated, read and encoded, and Shapley values of what they add."""
    known = [
        PatientInfo(),
        PatientInfo(45.0, "female", "torso"),
        PatientInfo(0.5, "male", "oral/genital"),
        PatientInfo(120.0, "unknown", "head/neck"),
        PatientInfo(None, "male", "unknown"),
    ]
    logits = np.random.default_rng(4).normal(0, 1, (10, 8)).astype(np.float32)
    return {
        "features": patient.FEATURE_NAMES,
        "vocabulary": {
            "sexes": patient.SEXES,
            "sites": patient.SITES,
            "max_age": patient.MAX_AGE,
        },
        "stated": [{"stated": one, "patient": _parsed(one)} for one in _stated_patients()],
        "encoded": [
            {"patient": asdict(one), "rows": shapley.coalition_rows(one).ravel().tolist()}
            for one in known
        ],
        "shapley": [
            {"static_logits": row.tolist(), "values": values, "unknown": unknown}
            for row, (values, unknown) in ((row, shapley.shapley_values(row)) for row in logits)
        ],
    }


def _stated_patients() -> list[dict[str, Any]]:
    """Return patients in anybody's words: every word, ages of all forms, and what is refused."""
    ages: list[Any] = [None, 0, 0.5, 45, 120, 120.5, -1, -0.0, "", " ", "0", "0.0", "45", " 45 "]
    ages += ["45.5", "+7", ".5", "5.", "1e2", "1e3", "-3", "121", "NA", "n/a", "NaN", "None"]
    ages += [
        "Null",
        "UNKNOWN",
        "abc",
        "4 5",
        "0x10",
        "12 years",
        "inf",
        "45,5",
        "85+",
        "85 +",
        "+",
        "++5",
    ]
    ages += ["-1", "-1.0", "-1,0", "-2", "1,2,3", "<NA>", "not_known", "1e2+"]
    sexes = [
        None,
        "x",
        "f m",
        "femal",
        "ma\u0308nnlich",
        "F.",
        *patient.SEX_WORDS,
        *patient.MISSING,
    ]
    sites = [
        None,
        "tail",
        "anterior  torso",
        "head_neck_face",
        "PALMS-SOLES",
        "Head & Neck",
        *patient.SITE_WORDS,
        *patient.MISSING,
    ]
    unknown = dict.fromkeys(("age", "sex", "site"))
    return [
        *({**unknown, "age": age} for age in ages),
        *({**unknown, "sex": form(sex)} for sex in sexes for form in _CASES),
        *({**unknown, "site": form(site)} for site in sites for form in _CASES),
        {"age": "61", "sex": "F", "site": "Posterior torso"},
    ]


_CASES: tuple[Callable[[str | None], str | None], ...] = (
    lambda word: word,
    lambda word: word and word.upper(),
    lambda word: word and f"  {word.capitalize()}	",
)


def _parsed(stated: dict[str, Any]) -> dict[str, Any] | None:
    """Return the patient that Python reads; None where it refuses."""
    try:
        return asdict(patient.parse_patient(**stated))
    except DataError:
        return None
