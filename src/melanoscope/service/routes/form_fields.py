"""What the fields of a form mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast, get_args

from melanoscope.errors import DataError, nearest
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.explain.integrated_gradients import (
    BASELINES,
    DEFAULT_BASELINE,
    DEFAULT_STEPS,
    Baseline,
)
from melanoscope.patient import PatientInfo, parse_patient
from melanoscope.service.http.parts import PHOTOGRAPH
from melanoscope.service.http.problems import Problem, shown

Method = Literal["evidence", "gradients"]
METHODS: tuple[Method, ...] = get_args(Method)

DIAGNOSIS = (PHOTOGRAPH, "age", "sex", "site", "prevalence", "force")
"""Fields of a diagnosis."""
EXPLANATION = (*DIAGNOSIS, "method", "baseline", "steps")
"""Fields of an explanation."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a photograph.

    Attributes:
        who: Whose it is.
        prevalence: Share of melanomas to assume, between 0 and 1; None for the bundle's.
        force: Answer also what the gate refuses.
    """

    who: PatientInfo
    prevalence: float | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Explaining:
    """How a photograph is to be explained.

    Attributes:
        method: "evidence" of each place, or "gradients": Integrated Gradients of each pixel.
        baseline: Of Integrated Gradients.
        steps: Likewise, 1 or more.
        picture: As an overlay (PNG), not as numbers (JSON).
    """

    method: Method
    baseline: Baseline = DEFAULT_BASELINE
    steps: int = DEFAULT_STEPS
    picture: bool = False


def question(fields: Mapping[str, str]) -> Question:
    """Read what is asked.

    Raises:
        Problem: A field that cannot be.
    """
    ages, sexes, sites = (
        _field(fields, name, lambda text, name=name: parse_patient(**{name: text}), PatientInfo())  # type: ignore[misc]
        for name in ("age", "sex", "site")
    )
    return Question(
        PatientInfo(ages.age, sexes.sex, sites.site),
        _field(fields, "prevalence", _prevalence, None),
        _field(fields, "force", _truth, False),
    )


def explaining(fields: Mapping[str, str], *, most_steps: int, picture: bool) -> Explaining:
    """Read how it is to be explained.

    Raises:
        Problem: A field that cannot be.
    """
    return Explaining(
        cast("Method", _field(fields, "method", lambda text: _word(text, METHODS), "evidence")),
        _field(
            fields,
            "baseline",
            lambda text: cast("Baseline", _word(text, BASELINES)),
            DEFAULT_BASELINE,
        ),
        _field(fields, "steps", lambda text: _steps(text, most_steps), DEFAULT_STEPS),
        picture,
    )


def _field(fields: Mapping[str, str], name: str, read: Callable[[str], _T], absent: _T) -> _T:
    if not (text := fields.get(name, "").strip()):
        return absent
    try:
        return read(text)
    except DataError as error:
        raise Problem(
            "invalid-field", error.expected, shown(text), error.mend, field=name
        ) from None


def _prevalence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    log_odds(value)
    return value


def _truth(text: str) -> bool:
    return _word(text.lower(), ("true", "false")) == "true"


def _steps(text: str, most: int) -> int:
    # int() would take 5,000 digits, and its time for them.
    value = int(text) if text.isdecimal() and len(text) < 9 else 0
    if not 1 <= value <= most:
        raise DataError(f"1 to {most} steps", text, f"ask for {DEFAULT_STEPS}")
    return value


def _word(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise DataError(f"one of {', '.join(known)}", text, nearest(text, list(known)))
    return text
