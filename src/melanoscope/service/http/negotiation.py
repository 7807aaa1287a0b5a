"""What a client prefers: weights of Accept and Accept-Encoding (RFC 9110, section 12)."""

from __future__ import annotations

from collections.abc import Sequence

from melanoscope.service.http.problems import Problem, quoted


def negotiated(accept: str, offered: Sequence[str]) -> str:
    """Choose the media type of a response.

    Args:
        accept: Value of the header Accept.
        offered: Media types that can be sent; the first is taken where several are as welcome.

    Returns:
        One of `offered`; the only one of them is sent whatever `accept` says.

    Raises:
        Problem: None of several is acceptable.

    >>> negotiated("image/*", ["application/json", "image/png"])
    'image/png'
    >>> negotiated("image/png;q=0.5, application/json", ["application/json", "image/png"])
    'application/json'
    """
    if len(offered) == 1:
        return offered[0]
    weights = {
        media: preference(accept, "*/*", f"{media.partition('/')[0]}/*", media) for media in offered
    }
    best = max(weights, key=lambda media: weights[media])
    if weights[best] <= 0:
        expected = f"{' or '.join(offered)} in Accept"
        raise Problem("not-acceptable", expected, quoted(accept), "ask for one of them")
    return best


def preference(header: str, *ranges: str) -> float:
    """Return the weight that a header gives to something.

    Args:
        header: Value of Accept, Accept-Encoding or the like: ranges with their weights.
        *ranges: Ranges that cover the thing, the most general first; the most exact that the header
            names counts.

    Returns:
        Weight between 0 (not acceptable) and 1.

    >>> preference("image/png;q=0.5, */*;q=0.1", "*/*", "image/*", "image/png")
    0.5
    >>> preference("gzip, br", "*", "zstd")
    0.0
    """
    weight, exactness = 0.0, -1
    for entry in header.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name not in ranges or ranges.index(name) <= exactness:
            continue
        exactness, weight = ranges.index(name), 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _number(parameter[2:])
    return weight


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
