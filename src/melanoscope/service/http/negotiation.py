"""What a client would rather have: weights of Accept and Accept-Encoding (RFC 9110, section 12)."""

from __future__ import annotations


def weight(header: str, *ranges: str) -> float:
    """Return the weight that a header gives to something, between 0 and 1.

    Args:
        header: Its value: ranges with their weights.
        ranges: Which of them cover it; the last that the header names counts.

    >>> weight("image/png;q=0.5, */*;q=0.1", "*/*", "image/*", "image/png")
    0.5
    >>> weight("gzip, br", "*", "zstd")
    0.0
    """
    found, exact = 0.0, -1
    for one in header.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        if name not in ranges or ranges.index(name) <= exact:
            continue
        exact, found = ranges.index(name), 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                found = _number(parameter[2:])
    return found


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
