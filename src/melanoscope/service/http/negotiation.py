"""What the headers of a request ask for: media types, encodings, versions (RFC 9110)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from melanoscope.service.http.problems import Problem, quoted

if TYPE_CHECKING:
    from starlette.requests import Request


def negotiated(accept: str, offered: Sequence[str]) -> str:
    """Return which of the `offered` media types the header Accept prefers, the first if several.

    The only one of them is sent whatever `accept` says.

    >>> negotiated("image/*", ["application/json", "image/png"])
    'image/png'
    >>> negotiated("image/png;q=0.5, application/json", ["application/json", "image/png"])
    'application/json'
    """
    if len(offered) == 1:
        return offered[0]
    weights = {
        media: preference(accept, media, f"{media.partition('/')[0]}/*", "*/*") for media in offered
    }
    best = max(weights, key=lambda media: weights[media])
    if weights[best] <= 0:
        expected = f"{' or '.join(offered)} in Accept"
        raise Problem("not-acceptable", expected, quoted(accept), "ask for one of them")
    return best


def preference(header: str, *ranges: str) -> float:
    """Return the weight, 0 to 1, that Accept or the like gives to the first of `ranges` it names.

    >>> preference("image/png;q=0.5, */*;q=0.1", "image/png", "image/*", "*/*")
    0.5
    >>> preference("gzip, br", "zstd", "*")
    0.0
    """
    weights: dict[str, float] = {}
    for entry in header.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        stated = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        weights.setdefault(name, _number(stated[-1]) if stated else 1.0)
    return next((weights[name] for name in ranges if name in weights), 0.0)


def is_cached(request: Request, etag: str) -> bool:
    """Return whether If-None-Match of `request` names `etag`, so that the answer is 304."""
    cached = request.headers.get("if-none-match", "")
    return cached.strip() == "*" or etag in [
        tag.strip().removeprefix("W/") for tag in cached.split(",")
    ]


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
