"""A whole comparison against R: the reader's own predictions, the reader's own R.

    python benchmarks/compare_against_r.py A.csv B.csv --truth TABLE --positive melanoma

Needs R with pROC and rms (Debian: r-base-core r-cran-proc r-cran-rms); where there is no R it says
so. Prints AUROC, Brier score, calibration slope and intercept of each model, DeLong's p-value of
each pair (of photographs; R has no test for patients with several) and Holm's adjustment by both,
and ends with status 1 where they differ. ``--markdown FILE`` replaces the table in a page.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from melanoscope.comparison.compare import compare_files
from melanoscope.comparison.results import ComparisonResults
from melanoscope.stats.intervals.delong_test import delong_test
from melanoscope.stats.intervals.interval import Interval

METRICS = {
    "auroc": "AUROC",
    "brier": "Brier score",
    "calibration_slope": "calibration slope",
    "calibration_intercept": "calibration intercept",
}
TOLERANCE = 1e-6
"""Difference, relative to R's number or to 0.001 where that is smaller."""


@dataclass(frozen=True)
class Number:
    """One quantity by both."""

    quantity: str
    model: str
    ours: float
    r: float

    @property
    def difference(self) -> float:
        """Difference relative to R's number, or to 0.001 where that is smaller."""
        return abs(self.ours - self.r) / max(abs(self.r), 1e-3)


def our_numbers(results: ComparisonResults) -> dict[tuple[str, str], float]:
    """Return what the comparison says, by quantity and model."""
    found = {
        (words, name): interval.estimate
        for name in results.joined.probability
        for metric, words in METRICS.items()
        if isinstance(interval := results.intervals[name][metric], Interval)
    }
    probability = results.joined.probability
    each = np.arange(results.joined.target.size)
    for a, b in combinations(probability, 2):
        test = delong_test(results.joined.target, probability[a], probability[b], each)
        found["DeLong p", f"{a} and {b}"] = test.p_value
    for k, pair in enumerate(results.pairs.get("auroc", ()), start=1):
        found["p, Holm", str(k)] = pair.p_holm
    return found


def ask_r(results: ComparisonResults) -> tuple[dict[tuple[str, str], float], str]:
    """Return R's numbers, and the versions of R and its packages."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        joined = results.joined
        with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["target", *joined.probability])
            columns = (joined.target.tolist(), *(p.tolist() for p in joined.probability.values()))
            writer.writerows(zip(*columns, strict=True))
        p_values = [repr(pair.p_value) for pair in results.pairs.get("auroc", ())]
        (folder / "p_values.csv").write_text("\n".join(["p", *p_values]) + "\n", encoding="utf-8")
        script = Path(__file__).with_suffix(".R")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(script), name],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    versions = next(value for quantity, _, value in rows if quantity == "versions")
    numbers = {(q, m): float(v) for q, m, v in rows if q != "versions"}
    return numbers, versions


def markdown(numbers: list[Number], versions: str) -> str:
    """Return the largest difference of each quantity as a table."""
    lines = ["| quantity | numbers | largest difference from R |", "| --- | --- | --- |"]
    for quantity in dict.fromkeys(one.quantity for one in numbers):
        mine = [one for one in numbers if one.quantity == quantity]
        lines.append(f"| {quantity} | {len(mine)} | {max(one.difference for one in mine):.1e} |")
    return "\n".join([*lines, "", f"{versions}; differences relative to R's number."])


def main() -> int:
    """Compare, and return 1 where a number differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictions", nargs="+", type=Path)
    parser.add_argument("--truth")
    parser.add_argument("--positive", default="melanoma")
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        print("skipped: there is no R (Debian: r-base-core r-cran-proc r-cran-rms)")
        return 0
    results = compare_files(
        options.predictions,
        truth=options.truth,
        positive=options.positive.split(","),
        classes=options.classes,
    )
    ours = our_numbers(results)
    theirs, versions = ask_r(results)
    if ours.keys() != theirs.keys():
        raise SystemExit(f"quantities that only one of both has: {sorted(ours.keys() ^ theirs)}")
    numbers = [Number(*key, ours[key], theirs[key]) for key in ours]
    for one in numbers:
        print(f"{one.quantity}\t{one.model}\t{one.ours:.10g}\t{one.r:.10g}\t{one.difference:.1e}")
    text = markdown(numbers, versions)
    print(text)
    if options.markdown:
        before, _, after = options.markdown.read_text(encoding="utf-8").split("<!-- table -->")
        whole = "<!-- table -->".join([before, f"\n{text}\n", after])
        options.markdown.write_text(whole, encoding="utf-8")
    return int(any(one.difference > TOLERANCE for one in numbers))


if __name__ == "__main__":
    sys.exit(main())
