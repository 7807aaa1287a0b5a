"""Errors as problem documents (RFC 9457): JSON, whoever raised them.

A document has `expected`, `found` and `mend` beside the members of the RFC: the three clauses of
every `MelanoscopeError`, for pages that lay them out themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:melanoscope:problem:"


class _Kind(NamedTuple):
    """What all problems of one kind share: their HTTP `status` and a `title` of a few words."""

    status: int
    title: str


KINDS = {
    "broken-request": _Kind(400, "The request is not whole"),
    "foreign-origin": _Kind(403, "Another page's request"),
    "slow-upload": _Kind(408, "The request took too long to arrive"),
    "not-acceptable": _Kind(406, "No such representation"),
    "length-required": _Kind(411, "The length is not stated"),
    "too-large": _Kind(413, "The request is too large"),
    "not-multipart": _Kind(415, "The request is no multipart form"),
    "unknown-host": _Kind(421, "The service has another name"),
    "invalid-field": _Kind(422, "A field cannot be"),
    "unreadable-photograph": _Kind(422, "The photograph cannot be read"),
    "refused-photograph": _Kind(422, "The photograph is refused"),
    "no-gradients": _Kind(422, "The bundle has no gradient graph"),
    "no-such-file": _Kind(404, "No such file in the bundle"),
    "other-bundle": _Kind(404, "The file belongs to another bundle"),
    "internal": _Kind(500, "A mistake of ours"),
    "busy": _Kind(503, "Too many requests are waiting"),
    "not-ready": _Kind(503, "Not ready"),
    "took-too-long": _Kind(504, "The answer took too long"),
}
"""Kinds of problems by the last part of their document's `type`."""

# JSON may hold these characters, HTML must not: should anybody show a document as a page, nothing
# in it is markup.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


class Problem(Exception):
    """An error that a client is told as a problem document.

    Args:
        kind: Key of `KINDS`.
        expected: What should have been there.
        found: What was there instead; quotes what a client sent through `quoted` alone.
        mend: What to do about it.
        headers: Further headers of the response.
        **members: Further members of the document.
    """

    def __init__(
        self,
        kind: str,
        expected: str,
        found: str,
        mend: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.headers = dict(headers or {})
        self.members = {"expected": expected, "found": found, "mend": mend, **members}
        super().__init__(f"{kind}: expected {expected}")

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the problem document of a request; an empty `request_id` is left out."""
        clauses = self.members
        detail = f"expected {clauses['expected']}; found {clauses['found']}; {clauses['mend']}"
        kind = TYPE_PREFIX + self.kind
        return _document(self.status, kind, self.title, detail, request_id) | self.members

    def response(self, request_id: str) -> Response:
        """Return the response with the document of a request; see `document`."""
        return _response(self.document(request_id), self.headers)


def status_response(
    status: int, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response of an HTTP `status` that says all there is to say, such as 404."""
    # Of the type "about:blank" (RFC 9457, section 4.2.1).
    try:
        known = HTTPStatus(status)
        title, detail = known.phrase, known.description or known.phrase
    except ValueError:
        title, detail = "Error", ""
    return _response(_document(status, "about:blank", title, detail, request_id), headers or {})


def busy(expected: str, found: str, seconds: int) -> Problem:
    """Return the problem of a limit that is reached for now: try again in `seconds`, 1 or more."""
    headers, mend = {"Retry-After": str(seconds)}, f"try again in {seconds} s"
    return Problem("busy", expected, found, mend, headers=headers, retry_after=seconds)


def internal_error() -> Problem:
    """Return the problem of a defect, without its message: that may quote a photograph."""
    return Problem("internal", "an answer", "a mistake of ours", "try again later")


def quoted(value: object, max_length: int = 40) -> str:
    """Quote what a client sent, in ASCII, cut to `max_length` characters.

    >>> quoted("tors")
    "'tors'"
    >>> quoted("x" * 100, 12)
    "'xxxxxxxx..."
    """
    text = ascii(value)
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


def _document(status: int, kind: str, title: str, detail: str, request_id: str) -> dict[str, Any]:
    document = {"type": kind, "title": title, "status": status, "detail": detail}
    return document | ({"instance": f"urn:uuid:{request_id}"} if request_id else {})


def _response(document: dict[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(
        json.dumps(document, allow_nan=False).translate(_ESCAPED).encode(),
        document["status"],
        {"cache-control": "no-store", **headers},
        MEDIA_TYPE,
    )
