"""TRIPOD+AI, CLAIM and CLEAR Derm, filled with what software can know of a run and nothing else.

What only a person knows says "TO FILL" and what to write there. No text is invented: every filled
entry is made from facts by `checklist_data` and `checklist_methods`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from melanoscope.report.checklists.facts import Estimate, Facts, Flow, NotApplicable, Stage, flow_of
from melanoscope.report.checklists.items import ITEMS, STANDARDS, Item
from melanoscope.report.html import render_template

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "TO_FILL",
    "Entry",
    "Estimate",
    "Facts",
    "Flow",
    "Stage",
    "checklist",
    "checklist_content",
    "flow_of",
    "render_checklist",
]

TO_FILL = "TO FILL"
Status = Literal["filled", "to fill", "not applicable"]


@dataclass(frozen=True)
class Entry:
    """One item of a checklist for one run.

    Attributes:
        standard: Name of the guideline.
        number: The item's, or the section it stands in where numbers could not be checked.
        topic: What it is about.
        status: Whether software could fill it.
        text: What is known, why it does not apply, or exactly `TO_FILL`.
        hint: What a person is to write, or to add; may be empty.
    """

    standard: str
    number: str
    topic: str
    status: Status
    text: str
    hint: str = ""


def checklist(facts: Facts) -> tuple[Entry, ...]:
    """Fill the items of all guidelines, in the published order.

    >>> known = checklist(Facts({"configuration": {"simulated": False}}))
    >>> [(entry.topic, entry.text) for entry in known if entry.status == "not applicable"]
    [('Synthetic images', 'No synthetic image took part.')]
    """
    return tuple(_fill(item, facts) for item in ITEMS)


def _fill(item: Item, facts: Facts) -> Entry:
    found = None if item.fill is None else item.fill(facts)
    place = (item.standard, item.number, item.topic)
    if isinstance(found, NotApplicable):
        return Entry(*place, "not applicable", found.text)
    if not found:
        # Software had nothing to say: the whole item is a person's, not only what is to be added.
        return Entry(*place, "to fill", TO_FILL, item.hint or item.topic.lower())
    return Entry(*place, "filled", found, item.hint)


def checklist_content(facts: Facts) -> dict[str, Any]:
    """Return what the template sees as `it`: the guidelines with their entries, and the flow."""
    entries = checklist(facts)
    guidelines = []
    for standard in STANDARDS:
        mine = [entry for entry in entries if entry.standard == standard.name]
        guidelines.append({"standard": standard, "entries": mine, "counts": _counts(mine)})
    return {"guidelines": guidelines, "flow": flow_of(facts), "to_fill": TO_FILL}


def render_checklist(facts: Facts) -> str:
    """Return the section of the page as HTML: the flow of photographs and the checklists."""
    return render_template("checklist.html.j2", {"it": checklist_content(facts)})


def _counts(entries: Sequence[Entry]) -> dict[str, int]:
    counts = {"filled": 0, "to fill": 0, "not applicable": 0}
    for entry in entries:
        counts[entry.status] += 1
    return counts
