"""The fields of a form, declared for FastAPI: their meaning, their limits and their description."""

# Annotations are not postponed here: those of a dependency made in a function name its arguments.

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import nan
from typing import Annotated, Any, Literal, get_args

from fastapi import File, Form, Request
from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from melanoscope.errors import DataError, nearest
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.explain.integrated_gradients import (
    BASELINES,
    DEFAULT_BASELINE,
    DEFAULT_STEPS,
    Baseline,
)
from melanoscope.patient import (
    MAX_AGE,
    SEXES,
    SITES,
    UNKNOWN,
    PatientInfo,
    parse_age,
    parse_sex,
    parse_site,
)
from melanoscope.service.http.problems import Problem, quoted
from melanoscope.service.settings import Settings

Method = Literal["evidence", "gradients"]

PNG = "image/png"
_DEFAULT_METHOD: Method = "evidence"


@dataclass(frozen=True, slots=True)
class DiagnosisRequest:
    """What a client asks about a photograph; the prevalence is the bundle's where it is None."""

    patient: PatientInfo
    prevalence: float | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class ExplanationOptions:
    """How the answer to a photograph is to be explained, and whether as PNG or as JSON."""

    method: Method = _DEFAULT_METHOD
    baseline: Baseline = DEFAULT_BASELINE
    steps: int = DEFAULT_STEPS
    as_png: bool = False


def _parsed(name: str, parse: Callable[[str], Any], default: Any) -> BeforeValidator:
    """Parse a field's text; blank text is the default, a `DataError` becomes a problem."""

    def validate(text: str) -> Any:
        # FastAPI before 0.162 passes its defaults through here too.
        if text == default or not (text := text.strip()):
            return default
        try:
            return parse(text)
        except DataError as error:
            raise Problem(
                "invalid-field", error.expected, quoted(text), error.mend, field=name
            ) from None

    return BeforeValidator(validate)


def _parse_prevalence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    log_odds(value)
    return value


def _parse_steps(text: str, max_steps: int) -> int:
    # int() would take 5,000 digits, and its time for them.
    value = int(text) if text.isdecimal() and len(text) < 9 else 0
    if not 1 <= value <= max_steps:
        raise DataError(f"1 to {max_steps} steps", text, f"ask for {DEFAULT_STEPS}")
    return value


def _one_of(*known: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in known:
            raise DataError(f"one of {', '.join(known)}", text, nearest(text, list(known)))
        return text

    return parse


_parse_bool = _one_of("true", "false")

Age = Annotated[
    Annotated[float, Field(ge=0, le=MAX_AGE)] | SkipJsonSchema[None],
    _parsed("age", parse_age, None),
    Form(description="Years. Like every field it may be left out or sent empty."),
]
Sex = Annotated[
    str,
    _parsed("sex", parse_sex, UNKNOWN),
    Form(json_schema_extra={"enum": list(SEXES)}),
]
Site = Annotated[
    str,
    _parsed("site", parse_site, UNKNOWN),
    Form(description="Where the lesion is.", json_schema_extra={"enum": list(SITES)}),
]
Prevalence = Annotated[
    Annotated[float, Field(gt=0, lt=1)] | SkipJsonSchema[None],
    _parsed("prevalence", _parse_prevalence, None),
    Form(description="Share of positive lesions to assume; the bundle's where it is not said."),
]
Force = Annotated[
    bool,
    _parsed("force", lambda text: _parse_bool(text.lower()) == "true", default=False),
    Form(description="Answer also what the quality gate refuses."),
]


def photograph_file(settings: Settings) -> Any:
    """Return FastAPI's declaration of the field with the photograph, under `settings`."""
    return File(
        description="JPEG, PNG, WebP, TIFF, BMP, HEIC, AVIF or DICOM (told by its content), of at "
        f"most {settings.request_bytes / 1e6:g} MB and {settings.pixels / 1e6:g} million "
        "pixels. Its name is not looked at.",
        json_schema_extra={"format": "binary"},
    )


async def diagnosis_request(
    age: Age = None,
    sex: Sex = UNKNOWN,
    site: Site = UNKNOWN,
    prevalence: Prevalence = None,
    force: Force = False,
) -> DiagnosisRequest:
    """Return what a client asks: the dependency that declares `age` and the other fields."""
    return DiagnosisRequest(PatientInfo(age, sex, site), prevalence, force)


def explanation_options(max_steps: int) -> Callable[..., Awaitable[ExplanationOptions]]:
    """Return the dependency that declares the fields of an explanation, up to `max_steps` steps."""

    async def options(
        request: Request,
        method: Annotated[
            Method,
            _parsed("method", _one_of(*get_args(Method)), _DEFAULT_METHOD),
            Form(description="The evidence of each place, or Integrated Gradients of each pixel."),
        ] = _DEFAULT_METHOD,
        baseline: Annotated[
            Baseline,
            _parsed("baseline", _one_of(*BASELINES), DEFAULT_BASELINE),
            Form(description="Of Integrated Gradients: what counts as nothing."),
        ] = DEFAULT_BASELINE,
        steps: Annotated[
            int,
            Field(ge=1, le=max_steps),
            _parsed("steps", lambda text: _parse_steps(text, max_steps), DEFAULT_STEPS),
            Form(
                description="Of Integrated Gradients; doubled until their sum is exact to 2 %, or "
                f"there are {max_steps}.",
            ),
        ] = DEFAULT_STEPS,
    ) -> ExplanationOptions:
        as_png = request.state.media_type == PNG
        return ExplanationOptions(method, baseline, steps, as_png)

    return options
