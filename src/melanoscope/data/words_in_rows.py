"""In which rows of a table words stand that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def describe_words(text: pl.Series, words: Sequence[str], lines: pl.Series | None = None) -> str:
    """Name words of a column, at most 12, with how often and in which line each comes first.

    >>> describe_words(pl.Series(["a", "b", "a"]), ["a", "b"], pl.Series([2, 3, 4]))
    "'a' (2 rows, first in line 2), 'b' (line 3)"
    """
    said = []
    for word in words[:12]:
        at = (text == word).arg_true()
        line = None if lines is None else lines[int(at[0])]
        if len(at) == 1:
            place = "1 row" if line is None else f"line {line}"
        else:
            place = f"{len(at)} rows" + ("" if line is None else f", first in line {line}")
        said.append(f"'{word}' ({place})")
    return ", ".join(said) + (f" and {len(words) - 12} more words" if words[12:] else "")
