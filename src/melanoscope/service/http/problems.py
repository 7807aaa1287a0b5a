"""Errors as problem documents (RFC 9457), all of them JSON and none of them anybody's HTML.

A document has `expected`, `found` and `mend` beside the members of the RFC: the three clauses of
every error of melanoscope, for pages that want to say them in their own layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
SPACE = "urn:melanoscope:problem:"

KINDS: dict[str, tuple[int, str]] = {
    "broken-request": (400, "The request is not whole"),
    "slow-upload": (408, "The request took too long to arrive"),
    "not-acceptable": (406, "No such representation"),
    "length-required": (411, "The length is not stated"),
    "too-large": (413, "The request is too large"),
    "not-multipart": (415, "The request is no multipart form"),
    "invalid-field": (422, "A field cannot be"),
    "unreadable-photograph": (422, "The photograph cannot be read"),
    "refused-photograph": (422, "The photograph is refused"),
    "no-gradients": (422, "The bundle has no gradient graph"),
    "no-such-file": (404, "No such file in the bundle"),
    "other-bundle": (404, "The file belongs to another bundle"),
    "internal": (500, "A mistake of ours"),
    "busy": (503, "Too many requests are waiting"),
    "not-ready": (503, "Not ready"),
    "took-too-long": (504, "The answer took too long"),
}
"""Last part of a problem's type -> its status and title."""

# What JSON may hold but HTML must not: nobody should show a document as a page, and if somebody
# does, nothing in it is markup.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


class Problem(Exception):
    """An error on its way to a client.

    Args:
        kind: A key of `KINDS`.
        expected: What should have been there.
        found: What was there; quotes at most `shown` of what a client sent.
        mend: What to do about it.
        headers: Of the response.
        more: Further members of the document.
    """

    def __init__(
        self,
        kind: str,
        expected: str,
        found: str,
        mend: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.headers = dict(headers or {})
        self.members = {"expected": expected, "found": found, "mend": mend, **more}
        super().__init__(f"{kind}: expected {expected}")

    def response(self, request_id: str) -> Response:
        """Return the document as a response."""
        members = self.members
        detail = f"expected {members['expected']}; found {members['found']}; {members['mend']}"
        return document(
            self.status, SPACE + self.kind, self.title, detail, request_id, self.headers, members
        )


def document(
    status: int,
    kind: str,
    title: str,
    detail: str,
    request_id: str,
    headers: Mapping[str, str],
    members: Mapping[str, Any],
) -> Response:
    """Write a problem document."""
    content = {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        **({"instance": f"urn:uuid:{request_id}"} if request_id else {}),
        **members,
    }
    return Response(
        json.dumps(content).translate(_UNSAFE).encode(),
        status,
        {"cache-control": "no-store", **headers},
        MEDIA_TYPE,
    )


def mistake() -> Problem:
    """Say that it is our fault, and nothing more: what went wrong may quote a photograph."""
    return Problem("internal", "an answer", "a mistake of ours", "try again later")


def plain(status: int, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the document of a status that says all there is to say, such as 404."""
    title, meaning = _phrase(status)
    return document(status, "about:blank", title, meaning, request_id, headers or {}, {})


def shown(value: object, most: int = 40) -> str:
    """Quote what a client sent: ASCII only, and not much of it.

    >>> shown("tors")
    "'tors'"
    >>> shown("x" * 100, 12)
    "'xxxxxxxx..."
    """
    text = ascii(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _phrase(status: int) -> tuple[str, str]:
    try:
        known = HTTPStatus(status)
    except ValueError:
        return "Error", ""
    return known.phrase, known.description or known.phrase
