"""The items of the reporting checklists, as items.toml holds them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes:
        number: Published number of the item, or the name of the section that it stands in.
        topic: What the item is about, in our own short words.
        hint: What a person is to write there, or to add to what software knows; may be empty.
        fill: Macro of texts.j2 that says what software knows; empty where only a person can know.
    """

    number: str
    topic: str
    hint: str = ""
    fill: str = ""


@dataclass(frozen=True)
class Guideline:
    """A reporting guideline with its items, in the published order.

    Attributes:
        note: What a reader should know of the numbers of its items; may be empty.
    """

    name: str
    citation: str
    items: tuple[Item, ...]
    note: str = ""


_TABLES = tomllib.loads(Path(__file__).with_name("items.toml").read_text(encoding="utf-8"))

GUIDELINES = tuple(
    Guideline(**{**table, "items": tuple(Item(**item) for item in table["items"])})
    for table in _TABLES["guidelines"]
)
"""All guidelines with their items, in the order of the page."""
