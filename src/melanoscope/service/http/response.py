"""The way of a response to its client: headers, heads, no error in a library's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from melanoscope.service.http.headers import secure
from melanoscope.service.http.problems import MEDIA_TYPE, plain

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

# What an error tells besides its status, and a problem document should tell, too.
_TOLD = ("allow", "content-range", "retry-after")


class Reply:
    """Stands before the `send` of one request.

    Args:
        send: Where messages go in the end.
        request_id: Told in a header.
        head: Whether it is a head that was asked for: no body goes out.

    Attributes:
        status: That was sent; 0 before that.
    """

    def __init__(self, send: Send, request_id: str, *, head: bool) -> None:
        self._send, self._request_id, self._head = send, request_id, head
        self._replaced = False
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send a part of the response; an error that is no problem document becomes one."""
        if self._replaced:
            return  # the rest of what a library had to say
        if _is_foreign_error(message):
            self._replaced = True
            told = Headers(raw=message["headers"]).items()
            kept = {name: value for name, value in told if name in _TOLD}
            problem = plain(message["status"], self._request_id, kept)
            await problem(_NO_SCOPE, _nothing, self._pass_on)
        else:
            await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            secure(headers := MutableHeaders(scope=message))
            headers["X-Request-Id"] = self._request_id
            self.status = message["status"]
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)


_NO_SCOPE: Scope = {"type": "http"}


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _is_foreign_error(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] < 400:
        return False
    media: str = Headers(raw=message["headers"]).get("content-type", "")
    return media != MEDIA_TYPE
