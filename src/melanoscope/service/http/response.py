"""What every response goes through: security headers, and no error in a library's own words.

`Cross-Origin-*` isolate the page, without which browsers give WebAssembly no threads. There is no
CORS: pages of others have no business here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from melanoscope.service.http.problems import MEDIA_TYPE, status_response

if TYPE_CHECKING:
    from starlette.types import Message, Send

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

# Headers of an error that its problem document keeps.
_KEPT_HEADERS = ("allow", "content-range", "retry-after")


class ResponseSender:
    """Send the response to a request; `status` is 0 until one is sent."""

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
            headers = Headers(raw=message["headers"])
            kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
            if "GET" in kept.get("allow", ""):
                kept["allow"] += ", HEAD"  # which `RequestMiddleware` makes of GET
            problem = status_response(message["status"], self._request_id, kept)
            await self._send_on({**message, "headers": problem.raw_headers})
            await self._send_on({"type": "http.response.body", "body": problem.body})
        else:
            await self._send_on(message)

    async def _send_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self._request_id
            self.status = message["status"]
        await self._send(message)


def _is_foreign_error(message: Message) -> bool:
    is_error = message["type"] == "http.response.start" and message["status"] >= 400
    return is_error and Headers(raw=message["headers"]).get("content-type") != MEDIA_TYPE
