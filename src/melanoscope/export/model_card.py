"""The model card of a bundle: its record in words and tables, for people.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596). The
card computes nothing that is not in the record, and says in words why a number is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, UndefinedError

from melanoscope import patient
from melanoscope.errors import BundleError
from melanoscope.export.markdown import FILTERS, count, interval, number, percent, plain, text
from melanoscope.inference.calibration import TemperatureScaling, log_odds
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


def model_card(record: Mapping[str, Any]) -> str:
    """Write the card of a bundle, in Markdown.

    Args:
        record: Content of bundle.json; `files` and `seal` are not needed.

    Raises:
        BundleError: The record lacks something, or holds a number that is none.
    """
    try:
        return _template().render(_context(record))
    except (KeyError, TypeError, ValueError, ArithmeticError, UndefinedError) as error:
        raise BundleError(
            "a whole record to write a model card from",
            f"{type(error).__name__}: {error}",
            "make the bundle anew",
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


def _context(record: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a record what the template needs besides."""
    network, data, training = record["network"], record["data"], record["training"]
    calibration, variants = record["calibration"], record["variants"]
    scale = TemperatureScaling(float(calibration["temperature"]), float(calibration["prevalence"]))
    prevalence = float(record["prevalence"])
    graphs = {name: {"why": "never made"} for name in ("gradient", "int8")} | record["graphs"]
    return {
        **record,
        "graphs": graphs,
        "calibration": {"method": "", "why": "", **calibration},
        "simulated": data["simulated"],
        "transfer": TRANSFER_DESCRIPTIONS.get(network["transfer"], network["transfer"]),
        "other": record["task"]["labels"][0],
        "training_part": _training_part(record),
        "dermoscopy_only": data["dermoscopy_only"],
        "recipe": [(plain(key), value) for key, value in training["recipe"].items()],
        "hardware": [
            (plain(key), value) for key, value in training["hardware"].items() if value is not None
        ],
        "versions": ", ".join(f"{name} {of}" for name, of in training["versions"].items()),
        "selection": _selection(training.get("selection")),
        "metric_rows": [
            {"name": name, "meaning": meaning, "entry": entry}
            for key, entry in record["metrics"].items()
            if entry is not None
            for name, meaning in [METRICS.get(key, (plain(key), ""))]
        ],
        "thresholds": [
            {
                **dict.fromkeys(("sensitivity", "specificity", "ppv", "npv")),
                **one,
                "probability": scale.probability(float(one["logit"]), prevalence),
            }
            for one in record["thresholds"]
        ],
        "concerns": list(
            dict.fromkeys(k for of in record["gate"]["rates"].values() for k in of["concerns"])
        ),
        "limit_rows": list(_limits(record["gate"])),
        "file_of": {
            name: graphs[graph].get("file", "")
            for name, graph in (("float32", "model"), ("int8", "int8"))
        },
        "timing": _timing(next(iter(variants.values()))),
        "small": _small(graphs["int8"]),
        "width": patient.WIDTH,
        "unknown_columns": [
            place for place, name in enumerate(patient.FEATURE_NAMES) if name.endswith("unknown")
        ],
        "static_words": _static_words(record["static"]),
        "preprocessing": _preprocessing(record["preprocessing"]),
        "person_options": " --age 45 --sex female --site torso" if record["static"] else "",
        "person_arguments": ', age=45, sex="female", site="torso"' if record["static"] else "",
        "variant_line": "\nmelanoscope predict BUNDLE photo.jpg --variant int8"
        if "int8" in variants
        else "",
        "distance_words": _distance_words(record["gate"]),
        "shift": _shift(log_odds(prevalence) - log_odds(scale.prevalence)),
        "limitations": list(_limitations(record)),
    }


def _training_part(record: Mapping[str, Any]) -> dict[str, str]:
    """Count melanomas and groups of the training part: all but those of the others."""
    parts = (record["data"], record["calibration"], record["heldout"])
    counts = {
        key: parts[0][key] - parts[1][key] - parts[2][key]
        for key in ("photographs", "melanomas", "groups")
    }
    whole = counts["photographs"] == record["training"]["photographs"]
    return {key: count(value) if whole else "not told" for key, value in counts.items()}


def _selection(selection: Mapping[str, Any] | None) -> str:
    """Say how the network was chosen among others, nothing where there were none."""
    if not selection or "auroc" not in selection:
        return ""
    mean = selection["auroc"]
    known = f"Over all folds its AUROC was {interval(mean)}, by {text(mean['method'])}."
    if selection["among"] < 2:
        return known
    return f"Chosen among {selection['among']} by {text(selection['by'])}. {known}"


def _limits(gate: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """List what the gate measures, and from where on it objects."""
    for name in [one for one in MEASURES if one in gate["limits"]]:
        side = "above" if name in LOW else "below"
        yield {"name": LIMITS.get(name, plain(name)), "side": side, **gate["limits"][name]}
    for variant, far in gate["distance"].items():
        yield {
            "name": f"distance from the training photographs ({variant})",
            "side": "above",
            "doubtful": far["doubtful_above"],
            "refused": far["refused_above"],
        }


def _distance_words(gate: Mapping[str, Any]) -> str:
    far = gate["distance"].get("float32")
    if far is None:
        return ""
    return f"doubtful above {number(far['doubtful_above'])}, refused above " + number(
        far["refused_above"]
    )


def _timing(one: Mapping[str, Any]) -> str:
    machine = one["machine"]
    return (
        f"with {one['threads']} threads on {machine['cores']} cores of "
        f"{text(machine['processor'])}, ONNX Runtime {machine['onnxruntime']}"
    )


def _small(graph: Mapping[str, Any]) -> str:
    """Say what became of the int8 variant, with its figures where there are some."""
    figures = ""
    if "auroc_int8" in graph:
        figures = (
            f" On {graph['photographs']:,} test photographs: AUROC "
            f"{number(graph['auroc_int8'])} instead of {number(graph['auroc_float32'])}; at the "
            f"main threshold sensitivity {percent(graph['sensitivity_int8'])} instead of "
            f"{percent(graph['sensitivity_float32'])}, specificity "
            f"{percent(graph['specificity_int8'])} instead of "
            f"{percent(graph['specificity_float32'])}; "
            f"{percent(graph['decided_otherwise'])} are decided otherwise."
        )
    if "file" in graph:
        return f"The int8 variant is accepted: it uses the same thresholds.{figures}"
    return f"There is no int8 variant: {text(graph['why'])}.{figures}"


def _static_words(vocabulary: Mapping[str, Any] | None) -> str:
    if vocabulary is None:
        return "passed over by this network, but asked for: zeros do"
    columns = ", ".join(vocabulary["features"])
    return (
        f"row 0 is the person, further rows are what-ifs; columns: {columns}; age as (years - 50) "
        "/ 25, the others 0 or 1"
    )


def _preprocessing(how: Mapping[str, Any]) -> str:
    keys = ("orientation", "colour", "crop", "resampling")
    return text("; ".join(str(how[key]) for key in keys if how.get(key)))


def _shift(value: float) -> str:
    """Write a summand with its sign, as in a program."""
    return f"{'-' if value < 0 else '+'} {abs(value):.6f}"


def _limitations(record: Mapping[str, Any]) -> Iterator[str]:
    """Name what a reader of the numbers must know; each follows from the record."""
    data, heldout, training = record["data"], record["heldout"], record["training"]
    if data["simulated"]:
        yield (
            "The lesions are drawn by a program. The network shows that the software works, "
            "and nothing else."
        )
    main = record["thresholds"][0]["sensitivity"]
    if main is not None:
        yield (
            f"At its main threshold it missed {percent(1 - main['estimate'])} of the melanomas of "
            "the test part. Whoever relies on it will miss some, too."
        )
    yield (
        f"{percent(heldout['melanomas'] / heldout['photographs'])} of the test photographs are "
        f"melanomas; answers assume {percent(record['prevalence'])}. The lesions of an archive "
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
    selection = training.get("selection") or {}
    if selection.get("among", 1) > 1:
        yield (
            f"It was chosen among {selection['among']} by all folds, the test part included: its "
            "numbers are slightly too good."
        )
    found = sum(source["found"] for source in data["sources"])
    listed = sum(source["rows"] for source in data["sources"])
    if found < listed:
        yield (
            f"Only {found:,} of the {listed:,} photographs that the archives list were there to "
            "learn from and to test with."
        )
    small = [
        f"{text(variable['name'])}: {text(level['level'])}"
        for variable in record["subgroups"]
        for level in variable["levels"]
        if level["auroc"] is None
    ]
    if small:
        yield f"Nothing is known of subgroups too small for a number ({'; '.join(small)})."
    if any("skin tone" in variable["name"].lower() for variable in record["subgroups"]):
        yield (
            "Skin tone is estimated from the photograph itself, and dark skin is rare in the "
            "archives."
        )
    if record["static"] is not None:
        yield (
            "What age, sex and body site add is what the archives associate with melanoma, which "
            "depends on who was photographed."
        )
    yield (
        "The gate notices what it measures. A photograph that it accepts can still be one that the "
        "network cannot read."
    )
