"""Schemas of the responses, for the OpenAPI document; `inference` writes the values."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from melanoscope.inference.explain.integrated_gradients import Baseline
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.result import Standing, Status
from melanoscope.patient import PatientInfo
from melanoscope.service.routes.form_fields import Method


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Evidence(_Exact):
    """The logit as a sum: photograph + age + sex + site + bias."""

    photograph: float
    age: float
    sex: float
    site: float
    bias: float
    logit: float
    places: list[list[float]] = Field(
        description="What each place of the photograph's centred square adds, from its top row; "
        "above 0 speaks for the target."
    )


class IntervalModel(_Exact):
    """A number measured on held-out photographs, with its confidence interval."""

    estimate: float
    low: float = Field(description="Lower bound.")
    high: float = Field(description="Upper bound.")
    n: int = Field(description="Groups (patients, lesions) that it rests on.")
    unit: str = Field(description="What is counted in `n`.")
    method: str = Field(description="How the interval was computed.")
    confidence: float = Field(gt=0, lt=1, description="Such as 0.95.")
    standard_error: float | None = Field(ge=0, description="None where the method has none.")


class Decision(_Exact):
    """What one threshold says of a photograph."""

    key: str = Field(description="Name for programs.")
    name: str = Field(description="Name for readers.")
    meaning: str = Field(description="What the threshold was chosen for.")
    threshold: float = Field(
        description="Probability, at `prevalence`, from which on a lesion is called positive."
    )
    positive: bool = Field(description="Whether this one is.")
    sensitivity: IntervalModel | None = Field(description="Of the threshold.")
    specificity: IntervalModel | None = Field(description="Of the threshold.")


class Answer(_Exact):
    """What the bundle says of one photograph."""

    status: Status = Field(
        description="accepted; doubtful: answered, with a warning; refused: not answered."
    )
    concerns: list[QualityIssue] = Field(description="Why not accepted, and what to do better.")
    probability: float | None = Field(
        ge=0, le=1, description="Of the target, calibrated, at `prevalence`; null where refused."
    )
    prevalence: float = Field(gt=0, lt=1, description="Share of positive lesions that is assumed.")
    decisions: list[Decision] = Field(
        description="At each threshold, the main one first; empty where refused."
    )
    standing: Standing | None = Field(description="Among the held-out photographs.")
    evidence: Evidence | None = Field(description="The exact sum; null where refused.")
    person: PatientInfo
    quality: QualityMeasures
    distance: float | None = Field(
        description="From the training photographs; null where the network gave no number."
    )
    target: str = Field(
        description="Name of what the bundle looks for; the record of /v1/bundle describes it."
    )
    network: str
    simulated: bool = Field(
        description="Whether the network learnt from simulated lesions and knows nothing of skin."
    )
    forced: bool = Field(description="Whether a refusal was overridden.")
    disclaimer: str
    bundle: str = Field(description="Fingerprint of the bundle that answered.")


class Explanation(_Exact):
    """What each place or pixel of the photograph's centred square adds to the logit."""

    method: Method
    values: list[list[float]] = Field(
        description="Rows from the top; above 0 speaks for the target."
    )
    baseline: Baseline | None = Field(description="Of Integrated Gradients.")
    steps: int | None = Field(description="Of Integrated Gradients.")
    difference: float = Field(description="What the values should sum to.")
    completeness_error: float | None = Field(
        description="|sum of values - difference| / |difference|, of Integrated Gradients."
    )
    bundle: str = Field(description="Fingerprint of the bundle that answered.")


class BundleInfo(_Exact):
    """What answers."""

    fingerprint: str = Field(description="sha256 of bundle.json.")
    record: dict[str, Any] = Field(
        description="bundle.json without its seal: target, thresholds, held-out metrics, "
        "subgroups, limits."
    )
    card: str = Field(description="MODEL_CARD.md.")
    explains: bool = Field(description="Whether it has a gradient graph.")


class Alive(_Exact):
    """The process answers."""

    status: Literal["alive"]


class Ready(_Exact):
    """The network has answered a photograph."""

    status: Literal["ready"]


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="urn:melanoscope:problem:... or about:blank.")
    title: str
    status: int
    detail: str
    instance: str | None = Field(None, description="The request, as in X-Request-Id and the log.")
    expected: str | None = None
    found: str | None = None
    mend: str | None = Field(None, description="What to do about it.")
    field: str | None = Field(None, description="The form's field that is meant.")
    retry_after: int | None = Field(None, description="Seconds, as in Retry-After.")
