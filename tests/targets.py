"""Targets other than melanoma, and whether a text speaks of it all the same."""

from __future__ import annotations

import re
from dataclasses import replace

from melanoscope.target import MALIGNANT, custom_target

OTHERS = (
    MALIGNANT,
    replace(MALIGNANT, indeterminate="malignant"),
    custom_target("keratinocyte_cancer", ("basal cell carcinoma", "squamous cell carcinoma")),
)
IDS = [f"{target.name}-{target.indeterminate}" for target in OTHERS]

# The card counts the photographs of each diagnosis, of which melanoma is one.
_DIAGNOSIS = re.compile(r"^\|? ?melanoma\s*\|?\s*(yes|no)\b.*$", re.MULTILINE)


def strays(text: str) -> list[str]:
    """Return the lines that say melanoma, but for those that count diagnoses."""
    return [one for one in _DIAGNOSIS.sub("", text).splitlines() if "melanoma" in one.lower()]
