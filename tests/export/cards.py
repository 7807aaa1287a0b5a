"""The model card of a record, and whether it is sound Markdown."""

from __future__ import annotations

import re

from melanoscope.export.model_card import model_card
from melanoscope.inference.manifest import BundleManifest


def card_of(record):
    return model_card(BundleManifest.from_dict(record))


def check_markdown(card):
    """No gaps, no leftovers, tables whose rows have as many cells as their heads."""
    lines = card.splitlines()
    assert card.endswith("\n")
    assert "\n\n\n" not in card
    assert not re.search(r"\b(None|nan|NaN|inf|null|undefined)\b|\{\{|\{%", card)
    in_code = False
    for number, line in enumerate(lines):
        following = next((one for one in lines[number + 1 :] if one), "")
        if line.startswith("```"):
            in_code = not in_code
        if in_code:
            continue
        if line.startswith("#"):
            deeper = following.startswith(line.split()[0] + "#")
            assert deeper or not following.startswith("#"), f"nothing under {line}"
            assert lines[number + 1] == "", line
            assert following
        if re.fullmatch(r"\|( -+:? \|)+", line):
            cells = line.count("|")
            rows = [lines[number - 1]]
            for row in lines[number + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(row)
            assert len(rows) > 1, f"a table without rows: {rows[0]}"
            for row in rows:
                assert len(re.findall(r"(?<!\\)\|", row)) == cells, row
            assert lines[number - 2] == "", rows[0]
    assert not in_code
