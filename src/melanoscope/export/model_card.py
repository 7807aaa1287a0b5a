"""The model card of a bundle: its manifest in words and tables, for people.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596). The
card computes nothing that is not in the manifest, and says in words why a number is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.export.markdown import FILTERS, count, interval, number, percent, text
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.inference.manifest import BundleManifest, Latency
from melanoscope.inference.manifest_records import Gate, Preprocessing, Selection, StaticFeatures
from melanoscope.inference.quality.gate import LOW, MEASURES
from melanoscope.transfers import TRANSFER_DESCRIPTIONS

METRICS = {
    "auroc": ("AUROC", "chance that a melanoma scores above another lesion"),
    "auprc": ("AUPRC", "average precision; without any skill the share of melanomas"),
    "brier": ("Brier score", "mean squared error of the probability; lower is better"),
    "calibration_slope": ("Calibration slope", "1 is right; below: probabilities too extreme"),
    "calibration_intercept": ("Calibration intercept", "0 is right; above: probabilities too low"),
    "observed_over_expected": (
        "Melanomas observed over expected",
        "1 is right; above: probabilities too low",
    ),
}

LIMITS = {
    "scale": "short side by the network's",
    "sharpness": "sharpness",
    "brightness": "brightest parts, 0 to 255",
    "dark_share": "share near-black",
    "bright_share": "share overexposed",
    "flat_share": "share without any texture",
    "strange_share": "share green or grey",
    "hue_agreement": "agreement of hues",
    "clutter": "differences all over the picture",
    "lesion_contrast": "contrast of the lesion to the skin around",
}


def model_card(manifest: BundleManifest) -> str:
    """Write the card of a bundle, in Markdown.

    Args:
        manifest: Manifest of the bundle; its `files` and `seal` are not needed.

    Returns:
        The card.

    Raises:
        BundleError: The manifest holds a number that is none.
    """
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
    scaling = TemperatureScaling(calibration.temperature, calibration.prevalence)
    hardware = msgspec.structs.asdict(training.hardware).items()
    return {
        **msgspec.structs.asdict(manifest),
        "transfer": TRANSFER_DESCRIPTIONS.get(manifest.network.transfer, manifest.network.transfer),
        "training_counts": _training_counts(manifest),
        "settings": [
            (key.replace("_", " ").replace(" gib", ", GiB"), value)
            for key, value in (*training.recipe.items(), *hardware)
            if value is not None
        ],
        "versions": ", ".join(f"{name} {of}" for name, of in training.versions.items()),
        "selection": _selection(training.selection),
        "metric_rows": [
            (*METRICS.get(key, (key.replace("_", " "), "")), value)
            for key, value in manifest.metrics.items()
        ],
        "probabilities": {
            one.key: scaling.probability(one.logit, manifest.prevalence)
            for one in manifest.thresholds
        },
        "concerns": dict.fromkeys(
            kind for rates in manifest.gate.rates.values() for kind in rates.concerns
        ),
        "limit_rows": list(_limits(manifest.gate)),
        "timing": _timing(next(iter(manifest.variants.values()))),
        "width": patient.WIDTH,
        "unknown_columns": [
            place for place, name in enumerate(patient.FEATURE_NAMES) if name.endswith("unknown")
        ],
        "static_words": _static_words(manifest.static),
        "preprocessing_words": _preprocessing_words(manifest.preprocessing),
        "distance_words": _distance_words(manifest.gate),
        "shift": _signed(log_odds(manifest.prevalence) - log_odds(calibration.prevalence)),
        "limitations": list(_limitations(manifest)),
    }


def _training_counts(manifest: BundleManifest) -> dict[str, str]:
    """Count melanomas and groups of the training photographs: all but the held-out ones."""
    data, calibration, heldout = manifest.data, manifest.calibration, manifest.heldout
    held = calibration.photographs + heldout.photographs
    if data.photographs - held != manifest.training.photographs:
        return dict.fromkeys(("melanomas", "groups"), "not told")
    return {
        "melanomas": count(data.melanomas - calibration.melanomas - heldout.melanomas),
        "groups": count(data.groups - calibration.groups - heldout.groups),
    }


def _selection(selection: Selection | None) -> str:
    """Say how the network was chosen among others, nothing where there were none."""
    if selection is None:
        return ""
    auroc = selection.auroc
    known = f"Over all folds its AUROC was {interval(auroc)}, by {text(auroc.method)}."
    if selection.among < 2:
        return known
    return f"Chosen among {selection.among} by {text(selection.by)}. {known}"


def _limits(gate: Gate) -> Iterator[tuple[str, str, float, float]]:
    """List what the gate measures, on which side it objects, and the two limits."""
    for name in MEASURES:
        bounds = getattr(gate.limits, name)
        side = "above" if name in LOW else "below"
        yield LIMITS[name], side, bounds.doubtful, bounds.refused
    for variant, far in gate.distance.items():
        name = f"distance from the training photographs ({variant})"
        yield name, "above", far.doubtful_above, far.refused_above


def _distance_words(gate: Gate) -> str:
    far = gate.distance["float32"]
    return f"doubtful above {number(far.doubtful_above)}, refused above {number(far.refused_above)}"


def _timing(latency: Latency) -> str:
    machine = latency.machine
    return (
        f"with {latency.threads} threads on {machine.cores} cores of "
        f"{text(machine.processor)}, ONNX Runtime {machine.onnxruntime}"
    )


def _static_words(static: StaticFeatures | None) -> str:
    if static is None:
        return "passed over by this network, but asked for: zeros do"
    return (
        "row 0 is the person, further rows are what-ifs; columns: "
        f"{', '.join(static.features)}; age as (years - 50) / 25, the others 0 or 1"
    )


def _preprocessing_words(how: Preprocessing) -> str:
    return text("; ".join((how.orientation, how.color, how.crop, how.resampling)))


def _signed(value: float) -> str:
    """Write a summand with its sign, as in a program."""
    return f"{'-' if value < 0 else '+'} {abs(value):.6f}"


def _limitations(manifest: BundleManifest) -> Iterator[str]:
    """Name what a reader of the numbers must know; each follows from the manifest."""
    data, heldout, selection = manifest.data, manifest.heldout, manifest.training.selection
    if data.simulated:
        yield (
            "The lesions are drawn by a program. The network shows that the software works, "
            "and nothing else."
        )
    main = manifest.thresholds[0].sensitivity
    if main is not None:
        yield (
            f"At its main threshold it missed {percent(1 - main.estimate)} of the melanomas of "
            "the test part. Whoever relies on it will miss some, too."
        )
    yield (
        f"{percent(heldout.melanomas / heldout.photographs)} of the test photographs are "
        f"melanomas; answers assume {percent(manifest.prevalence)}. The lesions of an archive "
        "were chosen because somebody found them worth keeping."
    )
    yield (
        "The test photographs come from the same archives as the others. How the network does with "
        "other cameras, clinics and people is not known; as a rule, worse."
    )
    yield (
        "It is one network, tested on one part. The intervals say how it would do with other "
        "patients like these, not how another training would have gone."
    )
    if selection is not None and selection.among > 1:
        yield (
            f"It was chosen among {selection.among} by all folds, the test part included: its "
            "numbers are slightly too good."
        )
    found = sum(archive.found for archive in data.sources)
    listed = sum(archive.rows for archive in data.sources)
    if found < listed:
        yield (
            f"Only {found:,} of the {listed:,} photographs that the archives list were there to "
            "learn from and to test with."
        )
    yield from _subgroup_limitations(manifest)
    if manifest.static is not None:
        yield (
            "What age, sex and body site add is what the archives associate with melanoma, which "
            "depends on who was photographed."
        )
    yield (
        "The gate notices what it measures. A photograph that it accepts can still be one that the "
        "network cannot read."
    )


def _subgroup_limitations(manifest: BundleManifest) -> Iterator[str]:
    small = [
        f"{text(variable.name)}: {text(level.level)}"
        for variable in manifest.subgroups
        for level in variable.levels
        if level.auroc is None
    ]
    if small:
        yield f"Nothing is known of subgroups too small for a number ({'; '.join(small)})."
    if any("skin tone" in variable.name.lower() for variable in manifest.subgroups):
        yield (
            "Skin tone is estimated from the photograph itself, and dark skin is rare in the "
            "archives."
        )
