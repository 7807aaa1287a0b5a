"""Compare the package's statistics with R's, on inputs that any machine makes the same.

    python benchmarks/r_oracles.py [--folder FOLDER]

Needs R with some packages (Debian: r-base-core r-cran-proc r-cran-rms r-cran-sandwich r-cran-rocr
r-cran-mvtnorm r-cran-survey r-cran-metafor); where there is no R it says so and
changes nothing. Writes docs/results/r_oracles.json and .md, and R's numbers to
tests/stats/r_oracles.json, with which the tests compare the package everywhere.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from melanoscope.hardware import describe_hardware
from r_oracles_parts import calibration, decisions, ranking, selection, studies
from r_oracles_parts.inputs import Inputs, inputs
from r_oracles_parts.quantities import Quantity

ROOT = Path(__file__).resolve().parents[1]
FIXTURE = Path("tests/stats/r_oracles.json")
RESULT = Path("docs/results/r_oracles.json")
# Differences are relative to R's number, or to this where it is smaller.
LEAST = 1e-3
COMMAND = "python benchmarks/r_oracles.py"
QUANTITIES: tuple[Quantity, ...] = (
    *ranking.QUANTITIES,
    *calibration.QUANTITIES,
    *decisions.QUANTITIES,
    *selection.QUANTITIES,
    *studies.QUANTITIES,
)


def ask_r(given: Inputs) -> tuple[dict[str, str], dict[str, list[float]]]:
    """Run the R script; return versions, and the numbers of each quantity that R could compute."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given.write(folder)
        script = Path(__file__).with_name("r_oracles.R")
        subprocess.run(["Rscript", "--vanilla", str(script), name], check=True)
        lines = [line.split("\t") for line in (folder / "values.tsv").read_text().splitlines()]
    versions = {line[0].split()[1]: line[1] for line in lines if line[0].startswith("version ")}
    values = {
        name: [float(number) for number in numbers]
        for name, *numbers in lines
        if not name.startswith("version ")
    }
    return versions, values


def compare(given: Inputs, values: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Say of each quantity how far the package lies from R's `values`, in R's order."""
    rows = []
    for quantity in QUANTITIES:
        theirs = values.get(quantity.name)
        row: dict[str, Any] = {
            "name": quantity.name,
            "r": quantity.of_r,
            "melanoscope": quantity.of_us,
        }
        if theirs is None:
            rows.append(row | {"compared": "skipped: R lacks the package"})
            continue
        ours = [float(value) for value in quantity.compute(given)]
        differences = [abs(a - b) / max(LEAST, abs(b)) for a, b in zip(ours, theirs, strict=True)]
        found = {"numbers": len(ours), "difference": max(differences)}
        rows.append(row | found | {"tolerance": quantity.tolerance})
    return rows


def markdown(result: dict[str, Any]) -> str:
    """Write the table of a result."""
    packages = ", ".join(
        f"{name} {number}" for name, number in result["r"].items() if number != "absent"
    )
    words = (
        f"The same inputs, made by closed forms ({result['photographs']} photographs of "
        f"{result['patients']} patients, two networks; results over folds; shares; archives; "
        f"studies), to R and to the package. {packages}; melanoscope {result['melanoscope']}; "
        f"{result['machine']['processor']}. Where R has no package for it the formula is written "
        "out in R (plain R). Differences are relative to R's number, or to 0.001 where that is "
        "smaller. Bootstraps differ by the chance of their draws."
    )
    head = "| quantity | R | melanoscope | numbers | largest difference | allowed |"
    lines = ["# The statistics against R", "", f"    {COMMAND}", "", words, "", head]
    lines.append("|" + " --- |" * 6)
    for row in result["quantities"]:
        cells = [row["name"].replace("_", " "), f"`{row['r']}`", f"`{row['melanoscope']}`"]
        if "compared" in row:
            cells += ["", row["compared"], ""]
        else:
            cells += [str(row["numbers"]), f"{row['difference']:.1e}", f"{row['tolerance']:.0e}"]
        lines.append("| " + " | ".join(cells) + " |")
    if result["only_r"]:
        lines += ["", "Computed by R alone so far: " + ", ".join(result["only_r"]) + "."]
    return "\n".join([*lines, ""])


def main() -> int:
    """Ask R, compare, write; 1 where a difference is larger than allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT, help="write below this folder")
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        print("skipped: there is no Rscript on this machine")
        return 0
    given = inputs()
    versions, values = ask_r(given)
    rows, hardware = compare(given, values), describe_hardware()
    result = {
        "command": COMMAND,
        "r": versions,
        "melanoscope": version("melanoscope"),
        "machine": {name: hardware[name] for name in ("processor", "cores")},
        "photographs": int(given.target.size),
        "patients": int(given.group.max()) + 1,
        "quantities": rows,
        "only_r": sorted(set(values) - {quantity.name for quantity in QUANTITIES}),
    }
    fixture = {"command": COMMAND, "inputs": given.digest(), "r": versions, "values": values}
    for path, document in ((RESULT, result), (FIXTURE, fixture)):
        target = options.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(document, indent=1) + "\n")
    tables = markdown(result)
    (options.folder / RESULT).with_suffix(".md").write_text(tables)
    print(tables)
    far = [row["name"] for row in rows if row.get("difference", 0) > row.get("tolerance", 1)]
    if far:
        print(f"further from R than allowed: {', '.join(far)}", file=sys.stderr)
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
