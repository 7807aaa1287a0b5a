"""The tables of the part "product" as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HIGHEST_FALSE, LOWEST_COVERAGE, HIGHEST_COVERAGE = 0.05, 0.93, 0.97
# Names in the package -> words in tables, in their order.
INTERVALS = {
    "auroc": "AUROC, the primary interval",
    "auroc, next study": "AUROC of the next study",
    "auroc, corrected t": "AUROC, corrected t",
    "auprc": "AUPRC",
    "auprc, corrected t": "AUPRC, corrected t",
    "pauc_above_sensitivity": "partial AUROC",
    "accuracy": "accuracy",
    "accuracy, corrected t": "accuracy, corrected t",
    "balanced_accuracy": "balanced accuracy",
    "balanced_accuracy, corrected t": "balanced accuracy, corrected t",
    "f1": "F1",
    "f1, corrected t": "F1, corrected t",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "auroc, difference": "difference of AUROC",
    "auroc, lower bound beside the star": "its one-sided bound beside the star",
    "auroc, difference over all networks": "difference of AUROC over all networks",
    "auprc, difference": "difference of AUPRC",
    "accuracy, difference": "difference of accuracy",
    "balanced_accuracy, difference": "difference of balanced accuracy",
    "f1, difference": "difference of F1",
    "distance to the best": "distances to the best, all at once",
    "brier": "Brier score",
    "calibration_slope": "calibration slope",
    "calibration_intercept": "calibration intercept",
    "calibration error": "calibration error",
    "observed over expected": "observed over expected",
    "flexible calibration curve": "flexible calibration curve, pointwise",
    "guaranteed sensitivity of a threshold": "guaranteed sensitivity of a threshold",
    "sensitivity at the guarantee": "sensitivity at that threshold",
    "specificity at the guarantee": "specificity at that threshold",
    "PPV": "PPV",
    "NPV": "NPV",
    "net benefit": "net benefit, pointwise",
    "subgroup auroc": "AUROC of a subgroup",
    "subgroup auroc, difference": "difference of AUROC of two subgroups",
    "subgroup sensitivity": "sensitivity of a subgroup",
    "subgroup sensitivity, difference": "difference of sensitivity of two subgroups",
}
CLAIMS = {
    **{
        f"{metric}: {claim}": f"{words}: {said}"
        for metric, words in (
            ("auroc", "AUROC"),
            ("auprc", "AUPRC"),
            ("accuracy", "accuracy"),
            ("balanced_accuracy", "balanced accuracy"),
            ("f1", "F1"),
        )
        for claim, said in (
            ("star before Holm", "p below 0.05, a network"),
            ("star", "any star in the table"),
        )
    },
    "auroc: difference over all networks": "AUROC: p below 0.05 over all networks",
    "auroc: equivalent within the margin": "AUROC: equivalent within the margin",
    "best: said to be within the margin, but is not": "best: within the margin, but is not",
    "subgroups: any difference on the page": "subgroups: any difference on the page",
}
KEPT = {
    "best: the best network is in the set": "the best network is in the set",
    "best: the best network is in the set (expectation)": "the same, best by expectation",
}


_INTERVALS = (
    "### Every interval that a report prints\n\nCoverage in percent, nominal 95; first of the "
    "expectation over training sets, then of what is true of these very networks (one number where "
    "only one of both is meant). **Bold**: below 93 beyond simulation error; *italic*: above 97 "
    "likewise. In brackets the share of studies in which it was given, where not in all.\n"
)
_CLAIMS = (
    "### Every claim that a report prints\n\nHow often it is made, in percent, although nothing is "
    "to be found. Nominal: at most 5. **Bold**: above 5 beyond simulation error. Equivalence is "
    "true but in the setting where arm A is better by the margin; there a star is true.\n"
)


def product_markdown(result: dict[str, Any]) -> str:
    """Write all tables of a result of `null_study.study`, part "product"."""
    settings = result["settings"]
    nulls = [one for one in settings if one["null"]]
    held = "### The set that cannot be told from the best\n\nIn percent, nominal at least 95.\n"
    return "\n".join(
        [
            _INTERVALS,
            _table("95 % interval", INTERVALS, settings, _covered),
            _CLAIMS,
            _table("claim", CLAIMS, [*nulls, *_at_margin(settings)], _claimed),
            held,
            _table("", KEPT, settings, _held),
            "### Half the mean width of every interval that a report prints\n",
            _table("95 % interval", INTERVALS, settings, _half_width),
        ]
    )


def _at_margin(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in settings if one["setting"]["name"].endswith("by the margin")]


def _table(
    corner: str,
    names: dict[str, str],
    settings: list[dict[str, Any]],
    cell: Callable[[dict[str, Any], str], str],
) -> str:
    heads = [one["setting"]["name"] for one in settings]
    lines = [f"| {corner} | " + " | ".join(heads) + " |", "|" + " --- |" * (len(heads) + 1)]
    for name, words in names.items():
        cells = [cell(one, name) for one in settings]
        if any(cells):
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _covered(one: dict[str, Any], name: str) -> str:
    found = one["intervals"].get(name)
    if found is None:
        return ""
    entries = [found[target] for target in ("training", "networks") if target in found]
    text = " / ".join(
        _percent(e, e["high"] < LOWEST_COVERAGE, e["low"] > HIGHEST_COVERAGE) for e in entries
    )
    return text if found["given"] > 0.9995 else f"{text} ({100 * found['given']:.0f})"


def _claimed(one: dict[str, Any], name: str) -> str:
    entry = one["claims"].get(name)
    if entry is None:
        return ""
    # A star is true where arm A is better; equivalence everywhere else.
    true = one["null"] if "equivalent" in name else not one["null"] and "star" in name
    true |= not one["null"] and "over all networks" in name
    return _percent(entry, not true and entry["low"] > HIGHEST_FALSE)


def _held(one: dict[str, Any], name: str) -> str:
    entry = one["claims"].get(name)
    return "" if entry is None else _percent(entry, entry["high"] < LOWEST_COVERAGE)


def _percent(entry: dict[str, float], bold: bool, italic: bool = False) -> str:
    mark = "**" if bold else "*" if italic else ""
    return f"{mark}{100 * entry['rate']:.1f}{mark}"


def _half_width(one: dict[str, Any], name: str) -> str:
    found = one["intervals"].get(name)
    return "" if found is None or found["half_width"] is None else f"{found['half_width']:.3f}"
