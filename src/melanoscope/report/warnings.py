"""What is suspicious about the data of a run, worst first: for the first screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from melanoscope.report.headline import archive_auroc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoscope.report.context import ReportContext
    from melanoscope.report.sections.section import Section

_SHORTCUT = 0.55
_NATURAL = 0.1


@dataclass(frozen=True)
class DataWarning:
    """A sentence about the data with the section that says more; `grave` can explain the result."""

    text: str
    anchor: str
    grave: bool = False


def collect_warnings(context: ReportContext, sections: Sequence[Section]) -> list[DataWarning]:
    """Collect what is suspicious about the data of a run, grave things first."""
    by_name = {section.name: section.content for section in sections}
    found = [
        *_protocol(context),
        *_archive(context),
        *_leaks(by_name.get("leaks")),
        *_prevalence(context),
        *_subgroups(by_name.get("subgroups")),
    ]
    there = {*by_name, "data", "method"}
    found = [one if one.anchor in there else replace(one, anchor="data") for one in found]
    return sorted(found, key=lambda one: not one.grave)


def _protocol(context: ReportContext) -> list[DataWarning]:
    if context.run.protocol != "poster":
        return []
    words = (
        "The poster's protocol: these numbers are computed as the poster did, and do not mean what "
        "their names say."
    )
    return [DataWarning(words, "method", grave=True)]


def _archive(context: ReportContext) -> list[DataWarning]:
    area = archive_auroc(context.run)
    if area is None or area < _SHORTCUT:
        return []
    words = f"The archive's name alone foretells the label: AUROC {area:.3f}."
    return [DataWarning(words, "shortcuts", grave=area > 0.6)]


def _leaks(content: dict[str, Any] | None) -> list[DataWarning]:
    if content is None:
        return []
    found = []
    if content["divided_groups"]:
        words = f"{content['divided_groups']:,} patients or lesions lie in more than one fold."
        found.append(DataWarning(words, "leaks", grave=True))
    if content["crossing"]:
        words = f"{content['crossing']:,} pairs of near-duplicate photographs cross folds."
        found.append(DataWarning(words, "leaks", grave=content["touched"] > 0.02 * _size(content)))
    if content["conflicting"]:
        words = f"{content['conflicting']} near-duplicate pairs carry two labels."
        found.append(DataWarning(words, "leaks"))
    if content["nameless"]:
        share = content["nameless"] / _size(content)
        words = f"{share:.0%} of the photographs name no patient, who may be on both sides."
        found.append(DataWarning(words, "leaks"))
    return found


def _size(content: dict[str, Any]) -> int:
    return int(content["photographs"])


def _prevalence(context: ReportContext) -> list[DataWarning]:
    share = float(context.run.catalog["target"].mean())  # type: ignore[arg-type]
    if share < _NATURAL:
        return []
    words = f"{share:.0%} of the photographs are melanomas; among people's lesions hardly any are."
    return [DataWarning(words, "decisions")]


def _subgroups(content: dict[str, Any] | None) -> list[DataWarning]:
    if not content or not content["significant"]:
        return []
    levels = dict.fromkeys(d.level for d in content["significant"])
    words = f"The best network does differently for: {', '.join(levels)}."
    return [DataWarning(words, "subgroups")]
