"""The items of the reporting checklists: items.toml, each item with the function that fills it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melanoscope.report.checklists import data_items, method_items
from melanoscope.report.checklists.facts import Facts, NotApplicable

_FILE = Path(__file__).with_name("items.toml")
_MODULES = {"data_items": data_items, "method_items": method_items}

Fill = Callable[[Facts], str | NotApplicable]
"""Turns facts into text; raises `UnknownFact` where one that it needs is missing."""


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes:
        number: Published number of the item, or the name of the section that it stands in.
        topic: What the item is about, in our own short words.
        hint: What a person is to write there, or to add to what software knows; may be empty.
        fill: Says what software knows; None where only a person can know.
    """

    number: str
    topic: str
    hint: str
    fill: Fill | None


@dataclass(frozen=True)
class Guideline:
    """A reporting guideline.

    Attributes:
        name: Short name of the guideline.
        citation: Where the guideline was published.
        note: What a reader should know of the numbers of its items; may be empty.
        items: The items, in the published order.
    """

    name: str
    citation: str
    note: str
    items: tuple[Item, ...]


def _item(entry: Mapping[str, str]) -> Item:
    fill = None
    if "fill" in entry:
        module, _, function = entry["fill"].partition(".")
        fill = getattr(_MODULES[module], function)
    return Item(number=entry["number"], topic=entry["topic"], hint=entry.get("hint", ""), fill=fill)


def _guideline(table: Mapping[str, Any]) -> Guideline:
    return Guideline(
        name=table["name"],
        citation=table["citation"],
        note=table.get("note", ""),
        items=tuple(_item(entry) for entry in table["items"]),
    )


GUIDELINES = tuple(
    _guideline(table) for table in tomllib.loads(_FILE.read_text(encoding="utf-8"))["guidelines"]
)
"""All guidelines with their items, in the order of the page."""
