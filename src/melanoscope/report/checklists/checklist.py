"""TRIPOD+AI, CLAIM and CLEAR Derm, filled with what software can know of a run and nothing else.

What only a person knows says "TO FILL" and what to write there. No text is invented: every filled
entry is made from facts by a macro of texts.j2.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from melanoscope.report.checklists.facts import Facts
from melanoscope.report.checklists.flow import flow_of
from melanoscope.report.checklists.items import GUIDELINES, Item
from melanoscope.report.checklists.texts import render_text

TO_FILL = "TO FILL"
_NOT_APPLICABLE = "Not applicable: "


@dataclass(frozen=True)
class Entry:
    """One item of a checklist for one run.

    Attributes:
        standard: Name of the guideline.
        number: Number of the item, or the section it stands in where numbers could not be checked.
        topic: What the item is about.
        status: Whether software could fill the item.
        text: What is known, why the item does not apply, or exactly `TO_FILL`.
        hint: What a person is to write, or to add; may be empty.
    """

    standard: str
    number: str
    topic: str
    status: Literal["filled", "to fill", "not applicable"]
    text: str
    hint: str = ""


def fill_checklists(facts: Facts) -> tuple[Entry, ...]:
    """Fill the items of all guidelines with the `facts` of a run, in the published order.

    >>> entries = fill_checklists(Facts({"configuration": {"simulated": False}}))
    >>> [(entry.topic, entry.text) for entry in entries if entry.status == "not applicable"]
    [('Synthetic images', 'No synthetic image took part.')]
    """
    return tuple(
        _entry(guideline.name, item, facts) for guideline in GUIDELINES for item in guideline.items
    )


def _entry(standard: str, item: Item, facts: Facts) -> Entry:
    status: Literal["filled", "to fill", "not applicable"] = "filled"
    text, hint = render_text(item.fill, facts) if item.fill else None, item.hint
    if text is None:
        # Software had nothing to say: the whole item is a person's, not only what is to be added.
        status, text, hint = "to fill", TO_FILL, hint or item.topic.lower()
    elif text.startswith(_NOT_APPLICABLE):
        status, text, hint = "not applicable", text.removeprefix(_NOT_APPLICABLE), ""
    return Entry(
        standard=standard, number=item.number, topic=item.topic, status=status, text=text, hint=hint
    )


def checklist_content(facts: Facts) -> dict[str, Any]:
    """Return what checklist.html.j2 shows as `content`: guidelines, their entries and the flow."""
    entries = fill_checklists(facts)
    target = (facts.record.get("configuration") or {}).get("target") or {}
    guidelines = []
    for guideline in GUIDELINES:
        own = [entry for entry in entries if entry.standard == guideline.name]
        counts = Counter(entry.status for entry in own)
        guidelines.append({"standard": guideline, "entries": own, "counts": counts})
    return {
        "guidelines": guidelines,
        "flow": flow_of(facts),
        "entries": entries,
        "positives": target.get("plural", "positive"),
        "to_fill": TO_FILL,
    }
