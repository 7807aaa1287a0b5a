"""The tables of the study as Markdown."""

from __future__ import annotations

from functools import partial
from typing import Any

from null_study_parts.repetition import (
    BOTH,
    CORRECTED,
    DELONG,
    DELONG_GROUPS,
    FACTOR,
    GROUPS,
    LEDELL,
    LEDELL_GROUPS,
    NAIVE,
    PHOTOGRAPHS,
    POSTER,
    RESCALED,
    UNPAIRED,
    UNTOUCHED,
    WIDENED,
)

START, END = "<!-- tables: begin -->", "<!-- tables: end -->"
TESTS = (
    POSTER,
    UNPAIRED,
    CORRECTED,
    GROUPS,
    BOTH,
    WIDENED,
    FACTOR,
    RESCALED,
    LEDELL_GROUPS,
    DELONG_GROUPS,
    DELONG,
    LEDELL,
    PHOTOGRAPHS,
)
INTERVALS = (
    POSTER,
    NAIVE,
    CORRECTED,
    WIDENED,
    FACTOR,
    GROUPS,
    RESCALED,
    LEDELL_GROUPS,
    DELONG_GROUPS,
    DELONG,
    LEDELL,
    PHOTOGRAPHS,
    UNTOUCHED,
)
HIGHEST_FALSE, LOWEST_COVERAGE, HIGHEST_COVERAGE = 0.05, 0.93, 0.97


def markdown(result: dict[str, Any]) -> str:
    """Write all tables of a result of `null_study.study`."""
    nulls = [one for one in result["settings"] if _null(one)]
    effects = [one for one in result["settings"] if not _null(one)]
    blocks = [_settings(result["settings"])]
    blocks.append(
        "### False stars\n\nShare of networks with p < 0.05 although both arms are equally good, "
        "in percent; in brackets the share of studies with any star among their networks after "
        "Holm. Nominal: 5 (5). **Bold**: above 5 beyond simulation error.\n\n"
        + _table("test", TESTS, nulls, _stars)
    )
    for what, title in (("mean", "AUROC of one arm"), ("difference", "difference of two arms")):
        blocks.append(
            f"### Coverage: {title}\n\nIn percent; first of the expectation over training sets, "
            "then of what is true of these very networks. Nominal: 95. **Bold**: below 93 beyond "
            "simulation error; *italic*: above 97 likewise.\n\n"
            + _table("95 % interval", INTERVALS, nulls, partial(_covered, what=what))
        )
    blocks.append(
        "### Half the mean width, AUROC of one arm\n\n"
        + _table("95 % interval", INTERVALS, nulls, _half_width)
    )
    if effects:
        blocks.append(
            "### True stars\n\nShare of networks with p < 0.05 where arm A is better, in percent; "
            "in brackets after Holm over the ten networks.\n\n"
            + _table("test", TESTS[2:6], effects, _power)
        )
    return "\n".join(blocks)


def replaced(document: str, tables: str) -> str:
    """Put tables between the marks of a document, or write a new one around them."""
    inside = f"{START}\n\n{tables}\n{END}"
    if START in document and END in document:
        before, rest = document.split(START, 1)
        return before + inside + rest.split(END, 1)[1]
    return f"# A study of the statistics themselves\n\n{inside}\n"


def _settings(settings: list[dict[str, Any]]) -> str:
    head = (
        "### Settings\n\n| setting | photographs, in groups as | melanomas | folds x repeats | "
        "networks | features an arm sees | chance in training | expected AUROC, B (A - B) | "
        "SD of true AUROC between training sets |\n|" + " --- |" * 9
    )
    rows = []
    for one in settings:
        s, truth = one["setting"], one["truth"]
        rows.append(
            f"| {s['name']} | {s['photographs']:,}, {s['grouping']} | {100 * s['prevalence']:.0f} %"
            f" | {s['folds']} x {s['repeats']} | {s['networks']} | {2 * s['own']} | {s['noise']:g}"
            f" | {truth['expected_auroc_b']:.3f} ({truth['expected_difference']:.3f})"
            f" | {truth['sd_between_training_sets']:.3f} |"
        )
    return "\n".join([head, *rows, ""])


def _table(corner: str, names: tuple[str, ...], settings: list[dict[str, Any]], cell: Any) -> str:
    heads = [one["setting"]["name"] for one in settings]
    lines = [f"| {corner} | " + " | ".join(heads) + " |", "|" + " --- |" * (len(heads) + 1)]
    for name in names:
        cells = [cell(one, name) for one in settings]
        if any(cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _percent(entry: dict[str, float], bold: bool, italic: bool = False) -> str:
    mark = "**" if bold else "*" if italic else ""
    return f"{mark}{100 * entry['rate']:.1f}{mark}"


def _stars(one: dict[str, Any], name: str) -> str:
    test = one["tests"].get(name)
    if test is None:
        return ""
    text = _percent(test["stars"], test["stars"]["low"] > HIGHEST_FALSE)
    if "family" in test:
        text += f" ({_percent(test['family'], test['family']['low'] > HIGHEST_FALSE)})"
    return text


def _power(one: dict[str, Any], name: str) -> str:
    test = one["tests"].get(name)
    if test is None:
        return ""
    return f"{100 * test['stars']['rate']:.0f} ({100 * test['after_holm']['rate']:.0f})"


def _covered(one: dict[str, Any], name: str, what: str) -> str:
    found = one["intervals"].get(name)
    if found is None:
        return ""
    entries = (found[what][target] for target in ("training", "networks"))
    return " / ".join(
        _percent(e, e["high"] < LOWEST_COVERAGE, e["low"] > HIGHEST_COVERAGE) for e in entries
    )


def _half_width(one: dict[str, Any], name: str) -> str:
    found = one["intervals"].get(name)
    return "" if found is None else f"{found['mean']['half_width']:.3f}"


def _null(one: dict[str, Any]) -> bool:
    """Whether both arms were equally good, as `Setting.null`."""
    setting = one["setting"]
    return not setting["gain"] or setting.get("more_noise", 0) > 0
