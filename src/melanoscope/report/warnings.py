"""What is suspicious about the data of a run, worst first: for the first screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from melanoscope.report.headline import archive_auroc
from melanoscope.report.target_words import expected_share

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext
    from melanoscope.report.sections.section import Section

_SHORTCUT = 0.55
_NATURAL = 0.1
FEWEST_POSITIVES = 50
"""Positives of a fold below which the mean over folds of AUPRC and partial AUROC is too high."""


@dataclass(frozen=True)
class DataWarning:
    """A sentence about the data with the section that says more; `grave` can explain the result."""

    text: str
    anchor: str
    grave: bool = False


def collect_warnings(context: ReportContext, sections: Sequence[Section]) -> list[DataWarning]:
    """Collect what is suspicious about the data of a run, grave things first."""
    content = {section.name: section.content for section in sections}
    found = [
        *_by_division(context),
        *_by_resuming(context),
        *(_by_leaks(content["leaks"]) if "leaks" in content else ()),
        *_by_few_positives(context),
        *_by_lesions(context, content.get("subgroups", {"significant": ()})),
    ]
    there = {*content, "data", "method", "results"}
    found = [one if one.anchor in there else replace(one, anchor="data") for one in found]
    return sorted(found, key=lambda one: not one.grave)


def _by_division(context: ReportContext) -> Iterator[DataWarning]:
    if context.run.protocol == "poster":
        words = (
            "The poster's protocol: these numbers are computed as the poster did, and do not mean "
            "what their names say."
        )
        yield DataWarning(words, "method", grave=True)
    share = context.run.configuration.share
    if share < 1:
        words = f"Trained on {share:.3g} of the training patients: one size of a learning curve."
        yield DataWarning(words, "method", grave=True)
    area = archive_auroc(context.run)
    if area is not None and area >= _SHORTCUT:
        words = f"The archive's name alone foretells the label: AUROC {area:.3f}."
        yield DataWarning(words, "shortcuts", grave=area > 0.6)


def _by_resuming(context: ReportContext) -> Iterator[DataWarning]:
    """Say what has changed since the run began: photographs, or the software of its cells."""
    if words := context.photographs.warning:
        yield DataWarning(words, "data", grave=True)
    described = {
        json.dumps([cell.software, cell.threads], sort_keys=True): None
        for cell in context.run.records.values()
    }
    if len(described) > 1:
        words = (
            f"The cells were trained under {len(described)} sets of versions, precision and "
            "threads: small differences between networks may come from these."
        )
        yield DataWarning(words, "method")


def _by_leaks(leaks: Mapping[str, Any]) -> Iterator[DataWarning]:
    if leaks["divided_groups"]:
        words = f"{leaks['divided_groups']:,} patients or lesions lie in more than one fold."
        yield DataWarning(words, "leaks", grave=True)
    if leaks["crossing"]:
        words = f"{leaks['crossing']:,} pairs of near-duplicate photographs cross folds."
        yield DataWarning(words, "leaks", grave=leaks["touched"] > 0.02 * leaks["photographs"])
    if leaks["conflicting"]:
        words = f"{leaks['conflicting']} near-duplicate pairs carry two labels."
        yield DataWarning(words, "leaks")
    if leaks["nameless"]:
        share = leaks["nameless"] / leaks["photographs"]
        words = f"{share:.0%} of the photographs name no patient, who may be on both sides."
        yield DataWarning(words, "leaks")


def _by_few_positives(context: ReportContext) -> Iterator[DataWarning]:
    if context.run.protocol == "poster":
        return
    fewest = min((int(cell.target.sum()) for cell in context.run.cells), default=FEWEST_POSITIVES)
    if fewest < FEWEST_POSITIVES:
        words = (
            f"{fewest} {context.run.target.plural} in the smallest test fold: with fewer than "
            f"{FEWEST_POSITIVES} the mean over folds of AUPRC and partial AUROC is too high "
            "(AUPRC by 0.03 at 20 and 0.07 at 9 in a simulation), and at 7 their intervals held "
            "the truth in 91 and 79 % of simulated studies."
        )
        yield DataWarning(words, "results")


def _by_lesions(context: ReportContext, subgroups: Mapping[str, Any]) -> Iterator[DataWarning]:
    share = context.run.catalog["target"].to_numpy().mean()
    if share >= _NATURAL:
        target = context.run.target
        words = f"{share:.0%} of the photographs show {target.plural}; {expected_share(target)}."
        yield DataWarning(words, "decisions")
    if subgroups["significant"]:
        found = "; ".join(one["words"] for one in subgroups["significant"])
        words = f"The best network has {found}."
        yield DataWarning(words, "subgroups")
