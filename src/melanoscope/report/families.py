"""Every family of tests that the page reports, for its table in the method section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from melanoscope.report.tables.tables import NAMES
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.metrics.classification import METRICS, PRIMARY_METRIC
from melanoscope.stats.reference.physicians import PHYSICIANS
from melanoscope.transfers import REFERENCES, TRANSFER_NAMES

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext


@dataclass(frozen=True, slots=True)
class Family:
    """Tests that are adjusted together, or are not adjusted.

    Attributes:
        question: What they ask.
        metric: What they compare.
        tests: How many there are.
        method: The test, and whether it is one-sided.
        adjusted: Over what it is adjusted, or that it is not.
    """

    question: str
    metric: str
    tests: int
    method: str
    adjusted: str


def families(context: ReportContext, shown: Mapping[str, Mapping[str, Any]]) -> list[Family]:
    """List the families of tests of a report.

    Args:
        context: The results of the run.
        shown: Name of each section that is shown -> its content.

    Returns:
        The families, those of the primary metric first.
    """
    return [
        *_transfer(context),
        *_selection(shown),
        *_physicians(context),
        *_subgroups(shown),
        *_static_data(shown),
    ]


def _transfer(context: ReportContext) -> list[Family]:
    poster = context.run.protocol == "poster"
    method = "unpaired t, one-sided" if poster else "corrected resampled t, paired, one-sided"
    found = []
    for transfer in context.summary.overall:
        question = (
            f"Is {TRANSFER_NAMES[transfer]} better than {TRANSFER_NAMES[REFERENCES[transfer]]}?"
        )
        compared = [c for c in context.summary.comparisons if c.transfer == transfer]
        networks = sum(1 for c in compared if c.metric == PRIMARY_METRIC)
        holm = "not adjusted" if poster else "Holm over the networks"
        found.append(Family(question, "AUROC, primary", networks, method, holm))
        others = [NAMES[metric] for metric in METRICS if metric != PRIMARY_METRIC]
        each = "not adjusted" if poster else "Holm over the networks, metric by metric"
        found.append(Family(question, ", ".join(others), networks * len(others), method, each))
        if not poster:
            found.append(
                Family(
                    f"Is it equivalent, within {MARGIN:g}?",
                    "AUROC",
                    networks,
                    "two one-sided corrected t (TOST)",
                    holm,
                )
            )
        found.append(Family("Is it so on average?", "AUROC", 1, method, "a single test"))
    return found


def _selection(shown: Mapping[str, Mapping[str, Any]]) -> list[Family]:
    if "selection" not in shown:
        return []
    networks = len(shown["selection"]["selection"].candidates)
    return [
        Family(
            "Which network may be the best, and which is within the margin of it?",
            "AUROC, primary",
            networks,
            "multiple comparisons with the best, paired over groups",
            "simultaneous over all networks",
        )
    ]


def _physicians(context: ReportContext) -> list[Family]:
    tested = sum(1 for row in context.summary.rows if row.above)
    if not tested:
        return []
    return [
        Family(
            "Is a network above published physicians?",
            "AUROC",
            tested * len(PHYSICIANS),
            "Welch on the logit scale, one-sided",
            "not adjusted",
        )
    ]


def _subgroups(shown: Mapping[str, Mapping[str, Any]]) -> list[Family]:
    tests = shown.get("subgroups", {}).get("tests", 0)
    if not tests:
        return []
    return [
        Family(
            "Does the best network differ between subgroups?",
            "AUROC, sensitivity, specificity",
            tests,
            "paired over groups, two-sided",
            "Holm over all of them",
        )
    ]


def _static_data(shown: Mapping[str, Mapping[str, Any]]) -> list[Family]:
    tests = len(shown.get("shortcuts", {}).get("static_data_adds", {}))
    if not tests:
        return []
    return [
        Family(
            "Do age, sex and site add to the photograph?",
            "AUROC",
            tests,
            "widened group bootstrap, paired, one-sided",
            "not adjusted",
        )
    ]
