"""Words and paths as people write them in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melanoscope.data.cache_folder import cache_folder
from melanoscope.data.sources import DataSpec, parse_spec


def listed(words: Sequence[str] | str) -> tuple[str, ...]:
    """Return one word, or several, as a tuple.

    >>> listed("melanoma"), listed(["a", "b"])
    (('melanoma',), ('a', 'b'))
    """
    return (words,) if isinstance(words, str) else tuple(words)


def archives_of(data: Sequence[str] | str) -> tuple[DataSpec, ...]:
    """Parse one "KIND=PATH" or several."""
    return tuple(parse_spec(text) for text in listed(data))


def cache_of(folder: Path | str | None) -> Path:
    """Return the folder of what is kept between calls, by default the user's."""
    return cache_folder(None if folder is None else Path(folder))
