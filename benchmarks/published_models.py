"""Eight published models on one test set: what their published p-values become.

    python benchmarks/published_models.py FOLDER --json docs/results/published_models.json \
        --markdown docs/results/published_models.md

FOLDER holds predictions/ (ham10000/*.csv and published_bootstrap.csv, as the authors of DermFM-Zero
publish them, for non-commercial use) and lesions/ham10000/HAM10000_metadata.csv. Only differences,
intervals and p-values are written: no prediction of a photograph.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from melanoscope.comparison.compare import compare_files
from melanoscope.comparison.results import ComparisonResults
from melanoscope.hardware import describe_hardware
from melanoscope.stats.pairwise import PairwiseComparison

NAMES = {
    "accuracy": ("Accuracy", "ACCURACY_p_value"),
    "balanced_accuracy": ("Balanced accuracy", "BALANCED_ACCURACY_p_value"),
    "macro_f1": ("Macro F1", "MACRO_F1_p_value"),
    "macro_auroc": ("Macro AUROC", "AUROC_p_value"),
}
REFERENCE = "DermFM-Zero"


def main() -> None:
    """Compare the models and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    predictions = options.folder / "predictions"
    files = sorted(set((predictions / "ham10000").glob("*.csv")))
    common: dict[str, Any] = {
        "predictions": [path for path in files if path.stem != "classes"],
        "classes": predictions / "ham10000" / "classes.csv",
        "truth": options.folder / "lesions" / "ham10000" / "HAM10000_metadata.csv",
    }
    seven = compare_files(**common)
    melanoma = compare_files(**common, positive=["melanoma"])
    published = {
        row["Model"]: row
        for row in csv.DictReader((predictions / "published_bootstrap.csv").open(encoding="utf-8"))
        if row["Dataset"] == "HAM"
    }
    found = {
        "photographs": int(seven.joined.target.size),
        "groups": int(seven.weights.groups.size),
        "unit": seven.joined.group_unit,
        "replicates": seven.settings.replicates,
        "melanoma_auroc": {
            name: one["auroc"].to_dict()  # type: ignore[union-attr]
            for name, one in melanoma.intervals.items()
        },
        "differences": [
            *differences(seven, published),
            *(_row("Melanoma, AUROC", pair, "") for pair in _of_reference(melanoma, "auroc")),
        ],
        **describe_hardware(),
    }
    text = json.dumps(found, indent=1) + "\n"
    print(markdown(found))
    if options.json:
        options.json.write_text(text, encoding="utf-8")
    if options.markdown:
        page = options.markdown.read_text(encoding="utf-8")
        before, _, after = page.split("<!-- table -->")
        whole = "<!-- table -->".join([before, f"\n{markdown(found)}\n", after])
        options.markdown.write_text(whole, encoding="utf-8")


def differences(
    results: ComparisonResults, published: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return the reference against each other model, by each metric, beside what was printed."""
    return [
        _row(name, pair, published[pair.b if pair.a == REFERENCE else pair.a][column])
        for metric, (name, column) in NAMES.items()
        for pair in _of_reference(results, metric)
    ]


def _of_reference(results: ComparisonResults, metric: str) -> list[PairwiseComparison]:
    return [pair for pair in results.pairs[metric] if REFERENCE in (pair.a, pair.b)]


def _row(name: str, pair: PairwiseComparison, printed: str) -> dict[str, Any]:
    if pair.a != REFERENCE:
        raise SystemExit(f"{REFERENCE} is not the best: the table would have other signs")
    return {
        "metric": name,
        "other": pair.b,
        "difference": pair.difference.to_dict(),
        "p_value": pair.p_value,
        "p_holm": pair.p_holm,
        "published_p_value": printed,
    }


def markdown(found: Mapping[str, Any]) -> str:
    """Write the differences as a table."""
    lines = [
        f"| {REFERENCE} minus | metric | difference (95 % interval) | p | p, Holm | published p |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in found["differences"]:
        d = one["difference"]
        span = f"{d['estimate']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})"
        p, adjusted = (_p(one[name]) for name in ("p_value", "p_holm"))
        lines.append(
            f"| {one['other']} | {one['metric']} | {span} | {p} | {adjusted} "
            f"| {one['published_p_value'] or '–'} |"  # noqa: RUF001
        )
    return "\n".join(lines)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


if __name__ == "__main__":
    main()
