"""How intervals and tests are spoken of, by protocol: captions, legends and columns take it here.

A run of the poster's protocol is computed as the poster was, and must not borrow the words of the
corrected one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProtocolWords:
    """The words of one protocol.

    Attributes:
        interval: The interval beside every mean, continuing "with".
        test: The test behind the stars.
        paired: How networks are compared, in the caption of the figure of differences.
        bound: What puts a difference above its lower bound, in the same place.
        p_column: Ending of the column of p-values, and their key in JSON.
    """

    interval: str
    test: str
    paired: str
    bound: str
    p_column: str


_WORDS = {
    "corrected": ProtocolWords(
        interval="its 95 % interval",
        test="one-sided corrected resampled t-test, Holm over networks",
        paired="paired by fold",
        bound="corrected resampled t; for networks at their level after Holm's adjustment",
        p_column="p_holm",
    ),
    "poster": ProtocolWords(
        interval="its 95 % interval as if folds were independent, as in the poster",
        test="one-tailed unpaired t-test over folds, for each network by itself, as in the poster",
        paired="as if folds were independent",
        bound="unpaired t-test, for each network by itself, as in the poster",
        p_column="p_poster",
    ),
}


def words_of(protocol: str) -> ProtocolWords:
    """Return the words of a protocol, "corrected" or "poster"."""
    return _WORDS[protocol]
