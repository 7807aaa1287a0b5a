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


class ProblemKind(NamedTuple):
    """What all problems of one kind share.

    Attributes:
        status: HTTP status, 400 to 599.
        title: Summary in a few words.
    """

    status: int
    title: str


KINDS = {
    "broken-request": ProblemKind(400, "The request is not whole"),
    "slow-upload": ProblemKind(408, "The request took too long to arrive"),
    "not-acceptable": ProblemKind(406, "No such representation"),
    "length-required": ProblemKind(411, "The length is not stated"),
    "too-large": ProblemKind(413, "The request is too large"),
    "not-multipart": ProblemKind(415, "The request is no multipart form"),
    "invalid-field": ProblemKind(422, "A field cannot be"),
    "unreadable-photograph": ProblemKind(422, "The photograph cannot be read"),
    "refused-photograph": ProblemKind(422, "The photograph is refused"),
    "no-gradients": ProblemKind(422, "The bundle has no gradient graph"),
    "no-such-file": ProblemKind(404, "No such file in the bundle"),
    "other-bundle": ProblemKind(404, "The file belongs to another bundle"),
    "internal": ProblemKind(500, "A mistake of ours"),
    "busy": ProblemKind(503, "Too many requests are waiting"),
    "not-ready": ProblemKind(503, "Not ready"),
    "took-too-long": ProblemKind(504, "The answer took too long"),
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
    """Return the problem document of a status that says all there is to say, such as 404.

    Args:
        status: HTTP status, 400 to 599.
        request_id: UUID of the request, or "" to leave it out.
        headers: Further headers of the response.

    Returns:
        A response of the type "about:blank" (RFC 9457, section 4.2.1).
    """
    try:
        known = HTTPStatus(status)
        title, detail = known.phrase, known.description or known.phrase
    except ValueError:
        title, detail = "Error", ""
    return _response(_document(status, "about:blank", title, detail, request_id), headers or {})


def busy(expected: str, found: str, seconds: int) -> Problem:
    """Return the problem of a limit that is reached for now.

    Args:
        expected: The limit.
        found: How it is reached.
        seconds: When to try again, 1 or more.

    Returns:
        A problem that says so to people, to programs, and in the header Retry-After.
    """
    headers, mend = {"Retry-After": str(seconds)}, f"try again in {seconds} s"
    return Problem("busy", expected, found, mend, headers=headers, retry_after=seconds)


def internal_error() -> Problem:
    """Return the problem of a defect, without its message: that may quote a photograph."""
    return Problem("internal", "an answer", "a mistake of ours", "try again later")


def quoted(value: object, max_length: int = 40) -> str:
    """Quote what a client sent, in ASCII.

    Args:
        value: Anything with a `repr`.
        max_length: Characters to which the quotation is cut, 4 or more.

    Returns:
        The quotation; its end is "..." where it is cut.

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
        json.dumps(document).translate(_ESCAPED).encode(),
        document["status"],
        {"cache-control": "no-store", **headers},
        MEDIA_TYPE,
    )
