"""What every response goes through: security headers, and no error in a library's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from melanoscope.service.http.headers import add_security_headers
from melanoscope.service.http.problems import MEDIA_TYPE, status_response

if TYPE_CHECKING:
    from starlette.types import Message, Send

# Headers of an error that its problem document keeps.
_KEPT_HEADERS = ("allow", "content-range", "retry-after")


class ResponseSender:
    """Send the response to one request, and make a problem document of any other error.

    Args:
        send: The `send` of ASGI.
        request_id: UUID of the request, for the header X-Request-Id.

    Attributes:
        status: HTTP status that was sent; 0 before that.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self._replaced = False
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send `message`, a part of the response; a `send` of ASGI."""
        if self._replaced:
            return  # the rest of a library's own error page
        if _is_foreign_error(message):
            self._replaced = True
            headers = Headers(raw=message["headers"]).items()
            kept = {name: value for name, value in headers if name in _KEPT_HEADERS}
            problem = status_response(message["status"], self._request_id, kept)
            await self._send_on({**message, "headers": problem.raw_headers})
            await self._send_on({"type": "http.response.body", "body": problem.body})
        else:
            await self._send_on(message)

    async def _send_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            add_security_headers(headers := MutableHeaders(scope=message))
            headers["X-Request-Id"] = self._request_id
            self.status = message["status"]
        await self._send(message)


def _is_foreign_error(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] < 400:
        return False
    media: str = Headers(raw=message["headers"]).get("content-type", "")
    return media != MEDIA_TYPE
