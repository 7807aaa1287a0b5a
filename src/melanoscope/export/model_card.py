"""The model card of a bundle: its manifest in words and tables, for people.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596). The
card computes nothing that is not in the manifest, and says in words why a number is missing. Its
text is templates/MODEL_CARD.md.j2.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from msgspec.structs import asdict

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.export.markdown import FILTERS
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.inference.manifest import BundleManifest
from melanoscope.inference.quality.gate import LOW, MEASURES
from melanoscope.transfers import TRANSFER_DESCRIPTIONS


def model_card(manifest: BundleManifest) -> str:
    """Write the card of a bundle, in Markdown, from its manifest (without `files` and `seal`)."""
    try:
        return _template().render(_context(manifest))
    except (ValueError, ArithmeticError) as error:
        raise BundleError(
            "a whole record to write a model card from", str(error), "make the bundle anew"
        ) from None


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("melanoscope.export"),
        autoescape=False,  # noqa: S701 - Markdown; `text` escapes what comes from elsewhere
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    return environment.get_template("MODEL_CARD.md.j2")


def _context(manifest: BundleManifest) -> dict[str, Any]:
    """Return the manifest's parts by name, and what the template needs besides."""
    training, calibration = manifest.training, manifest.calibration
    transfer = manifest.network.transfer
    return {
        **asdict(manifest),
        "transfer": TRANSFER_DESCRIPTIONS.get(transfer, transfer),
        "settings": {**training.recipe, **asdict(training.hardware)},
        "probability": TemperatureScaling(
            calibration.temperature, calibration.prevalence
        ).probability,
        "shift": log_odds(manifest.prevalence) - log_odds(calibration.prevalence),
        "concerns": dict.fromkeys(
            kind for rates in manifest.gate.rates.values() for kind in rates.concerns
        ),
        "measures": MEASURES,
        "bounded_above": LOW,
        "unmeasured": [
            f"{variable.name}: {level.level}"
            for variable in manifest.subgroups
            for level in variable.levels
            if level.auroc is None
        ],
        "width": patient.WIDTH,
        "unknown_columns": [
            place for place, name in enumerate(patient.FEATURE_NAMES) if name.endswith("unknown")
        ],
    }
