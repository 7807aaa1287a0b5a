"""What is said of columns that nothing reads, so that none is passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher

from melanoscope.tables.dialect import plain

# Names that people give, and what they would be here. Parts of a name are compared, too.
_SAME: Mapping[str, str] = {
    "gender": "sex",
    "years": "age",
    "birth": "age",
    "location": "site",
    "localization": "site",
    "localisation": "site",
    "region": "site",
    "anatom": "site",
    "body": "site",
    "dx": "diagnosis",
    "class": "diagnosis",
    "label": "target",
    "malignant": "target",
    "subject": "patient_id",
    "person": "patient_id",
    "mole": "lesion_id",
    "picture": "image",
    "photo": "image",
    "filename": "image",
}
LIKE = 0.75
"""Likeness from which on a name is nearly another."""

SLIP = 0.85
"""Likeness of a slip of the pen. Published archives have columns beside those that are read, such
as "diagnosis_confirm_type" beside "diagnosis", which `LIKE` would name."""


def unread_columns(
    columns: Sequence[str],
    read: Collection[str],
    known: Collection[str],
    *,
    every: bool = False,
    likeness: float = LIKE,
    option: str = "",
) -> tuple[str, ...]:
    """Name the columns that nothing reads.

    Args:
        columns: The table's columns.
        read: Those of them that are read.
        known: All names that would be read, were they there.
        every: Whether to name all of them, or only those that are nearly a known name that the
            table lacks.
        likeness: How like a name must be to count as nearly known, 0 to 1.
        option: Option by which the user may say what a column is, "--columns"; "" for none.

    Returns:
        One line each; the columns without any likeness share one.

    >>> unread_columns(["path", "patient"], ["path"], ["path", "patient_id"])
    ("column 'patient' is not read; the nearest known is 'patient_id'",)
    """
    taken = {plain(name) for name in read}
    free = [name for name in known if plain(name) not in taken]
    lines, others = [], []
    for number, column in enumerate(columns, 1):
        if plain(column) in taken and column:
            continue
        if not column:
            # The first one without a name holds the rows' numbers, as pandas and R write them.
            others += [f"{number} (without a name)"] if number > 1 else []
        elif near := _nearest(column, free, likeness):
            how = f"; if it is that, say {option} {near}={column}" if option else ""
            lines.append(f"column '{column}' is not read; the nearest known is '{near}'{how}")
        else:
            others.append(f"'{column}'")
    if every and others:
        noun, verb = ("column", "is") if len(others) == 1 else ("columns", "are")
        shown = ", ".join(others[:20]) + (f" and {len(others) - 20} more" if others[20:] else "")
        lines.append(f"{noun} {shown} {verb} not read")
    return tuple(lines)


def _nearest(column: str, known: Sequence[str], least: float) -> str | None:
    scores = {name: _likeness(column, name) for name in known}
    best = max(scores, key=scores.__getitem__, default="")
    return best if scores.get(best, 0) >= least else None


def _likeness(column: str, name: str) -> float:
    """Return how like two names are, 0 to 1; one whose words the other has all is like it."""
    ours, theirs = _words(column), _words(name)
    if ours == theirs or _joined(column) == _joined(name):
        return 1.0
    if ours and (ours < theirs or theirs < ours):
        return 0.84
    meant = {_SAME.get(word, word) for word in ours}
    if plain(name) in meant:
        return 0.8
    return SequenceMatcher(None, "".join(sorted(ours)), "".join(sorted(theirs))).ratio()


def _joined(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _words(name: str) -> set[str]:
    """Return the words of a name: PatientID, patient-id and "Patient Id" have the same."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word for word in re.split(r"[\W_]+", apart.casefold()) if word}
