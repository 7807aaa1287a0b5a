"""What `melanoscope power` prints: patients that a comparison needs, and how that was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from melanoscope.errors import one_line
from melanoscope.report.sections.section import plain
from melanoscope.runs.pair_power import PairPower
from melanoscope.stats.power_auroc import PatientsNeeded

SIMULATED = (
    "simulated studies: binormal scores, each study tested two-sided by DeLong's variance over "
    "patients (Obuchowski 1997) with t"
)
FROM_RUN = (
    "variance over patients of the run's paired difference (Obuchowski 1997), widened for "
    "cross-validation; errors shrink with the root of the number of patients, chance in training "
    "does not"
)


def stated_document(found: PatientsNeeded) -> dict[str, Any]:
    """Return the answer for a stated design as plain values, for `--json`.

    Args:
        found: The answer.

    Returns:
        What is printed; "needed" is null where no number up to "most" is enough.
    """
    return {"method": SIMULATED, "simulations": found.points[0].power.n, **plain(found)}


def run_document(run: Path, pairs: Sequence[PairPower]) -> dict[str, Any]:
    """Return the answer from a run as plain values, for `--json`.

    Args:
        run: The run folder.
        pairs: What the run says of its networks.

    Returns:
        What is printed.
    """
    rows = [plain(pair) | {"power_now": plain(_power_now(pair))} for pair in pairs]
    return {"method": FROM_RUN, "run": str(run), "pairs": rows}


def print_stated(found: PatientsNeeded) -> None:
    """Print the answer for a stated design, and the powers it rests on."""
    design = found.design
    console = _console()
    console.print(
        f"AUROC {design.auroc[0]:g} and {design.auroc[1]:g} on the same photographs, "
        f"{100 * design.prevalence:g} % of them positive; correlation of the scores "
        f"{design.correlation:g}"
    )
    if design.photographs > 1:
        console.print(
            f"{design.photographs} photographs of each patient, intraclass correlation "
            f"{design.intraclass:g}; "
            + ("all positive or none" if design.outcome_of_patient else "positives scattered")
        )
    console.print(f"power {found.asked:g} at the two-sided level {found.alpha:g} takes")
    console.print(_needed(found))
    _print_table(
        console,
        ("patients", "positive photographs", "power", "95 % Monte Carlo interval"),
        (
            (
                f"{point.patients:,}",
                f"{point.positives:,}",
                f"{point.power.estimate:.3f}",
                f"{point.power.low:.3f} to {point.power.high:.3f}",
            )
            for point in found.points
        ),
    )
    console.print(f"{found.points[0].power.n:,} {SIMULATED}")


def print_run(run: Path, pairs: Sequence[PairPower]) -> None:
    """Print what a run says of its networks."""
    console = _console()
    asked = next(pair.needed for pair in pairs if pair.needed is not None)
    console.print(
        one_line(
            f"to tell networks like those of '{run}' apart where they differ by "
            f"{asked.difference:g} AUROC, with power {asked.power:g} at the two-sided level "
            f"{asked.alpha:g}; the run has {asked.groups:,} patients (groups)"
        )
    )
    _print_table(
        console,
        (f"{pairs[0].first} and", "seen", "error", "power", "patients", "95 % interval"),
        (_row(pair) for pair in pairs),
        words=1,
    )
    for pair in pairs:
        if pair.why:
            console.print(one_line(f"{pair.first}, {pair.second}: {pair.why}"))
    console.print(
        "seen: AUROC of this network less that of the first, with its standard error; power: of "
        "the run itself; patients: so many would have the power asked for"
    )
    console.print(FROM_RUN)


def _needed(found: PatientsNeeded) -> str:
    if found.needed is None:
        return f"more than {found.most:,} patients"
    positives = {point.patients: point.positives for point in found.points}
    high = f"{found.high:,}" if found.high is not None else f"more than {found.most:,}"
    return (
        f"{found.needed:,} patients, with {positives[found.needed]:,} positive photographs "
        f"(by the Monte Carlo intervals {found.low:,} to {high})"
    )


def _row(pair: PairPower) -> tuple[str, ...]:
    needed = pair.needed
    if needed is None:
        return pair.second, *["\N{EN DASH}"] * 5
    return (
        pair.second,
        f"{needed.seen:+.3f}",
        f"{needed.standard_error:.3f}",
        f"{needed.power_at(needed.groups):.2f}",
        f"{needed.needed:,.0f}",
        f"{needed.low:,.0f} to {needed.high:,.0f}",
    )


def _power_now(pair: PairPower) -> float | None:
    return None if pair.needed is None else pair.needed.power_at(pair.needed.groups)


def _print_table(
    console: Console, headings: Sequence[str], rows: Iterable[tuple[str, ...]], words: int = 0
) -> None:
    """Print a table whose first columns are `words`, and the others numbers."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        is_word = place < words
        table.add_column(
            one_line(heading),
            justify="left" if is_word else "right",
            no_wrap=not is_word,
            overflow="fold",  # never an ellipsis in place of digits
        )
    for row in rows:
        table.add_row(*map(one_line, row))
    console.print(table)


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
