"""The terms of the photographs: an archive's own, or those that its rows state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def terms_of(source: Mapping[str, Any], stated: Mapping[str, Mapping[str, int]] | None) -> str:
    """Return the terms of an archive's photographs.

    Args:
        source: The archive, of "sources" in run.json.
        stated: "licences" of run.json.

    Returns:
        The archive's terms, or those that its rows state, with their counts where they are several.

    >>> archive = {"kind": "isic", "licence": "see each row"}
    >>> terms_of(archive, {"isic": {"CC-0": 20, "CC BY-NC": 5}})
    'CC-0 (20 photographs), CC BY-NC (5 photographs)'
    >>> terms_of(archive, {"isic": {"CC-0": 20}}), terms_of(archive, {})
    ('CC-0', 'see each row')
    """
    counts = (stated or {}).get(source["kind"]) or {}
    if len(counts) > 1:
        return ", ".join(f"{terms} ({n:,} photographs)" for terms, n in counts.items())
    return next(iter(counts), str(source["licence"]))
