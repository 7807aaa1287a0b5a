"""Ids that may not mean what they say: written in two ways, rounded, or a mark for "unknown"."""

from __future__ import annotations

import re

import polars as pl

_NUMBER = re.compile(r"0*(\d+)(?:[.,]0+)?")
_ROUNDED = r"^\d([.,]\d+)?[eE]\+?\d+$"
# From so many photographs and such a share of all on, one id is worth a word.
_MANY, _SHARE = 20, 0.1
_FEW, _HALF = 5, 0.5


def describe_strange_ids(ids: pl.Series, what: str) -> list[str]:
    """Say what is strange about ids; what becomes of them is not changed.

    Args:
        ids: Ids as text, null where none is known.
        what: What bears them: "patient" or "lesion".

    Returns:
        One sentence each for ids that differ only in case, zeros or ".0", for ids that a
        spreadsheet has rounded, and for an id that very many photographs share.

    >>> describe_strange_ids(pl.Series(["7", "007", "P1"]), "patient")
    ["'007' and '7' differ only in case, zeros or '.0'; they are taken as different patients"]
    """
    counts = ids.drop_nulls().value_counts(sort=True, name="n")
    names = counts[ids.name].to_list()
    notes = []
    forms: dict[str, list[str]] = {}
    for name in names:
        forms.setdefault(_form(name), []).append(name)
    twins = sorted(sorted(alike) for alike in forms.values() if len(alike) > 1)
    if twins:
        more = f", as do {len(twins) - 1:,} more" if twins[1:] else ""
        said = " and ".join(f"'{name}'" for name in twins[0])
        notes.append(
            f"{said} differ only in case, zeros or '.0'{more}; they are taken as different {what}s"
        )
    rounded = [name for name in names if re.fullmatch(_ROUNDED, name)]
    if rounded:
        notes.append(
            f"'{rounded[0]}' looks like a {what}'s id that a spreadsheet has rounded: it may stand "
            f"for several {what}s, which then stay together"
        )
    if names and _is_common(counts["n"][0], len(names), int(counts["n"].sum())):
        notes.append(
            f"{counts['n'][0]:,} photographs are of {what} '{names[0]}': if that stands for an "
            f"unknown {what}, leave these cells blank"
        )
    return notes


def _form(name: str) -> str:
    number = _NUMBER.fullmatch(name)
    return number[1] if number else name.casefold()


def _is_common(n: int, n_ids: int, n_all: int) -> bool:
    if n >= _FEW and n >= _HALF * n_all:
        return True
    return n >= _MANY and n >= _SHARE * n_all and n_ids * _SHARE > 1
