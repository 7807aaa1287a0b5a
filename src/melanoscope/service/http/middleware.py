"""What stands round every request: its id, its headers, its line in the log, its last resort."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from melanoscope.service.http.problems import Problem, mistake
from melanoscope.service.http.response import Reply
from melanoscope.service.logs import LOGGER, described

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from melanoscope.service.metrics import Metrics

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Guard:
    """ASGI middleware.

    Args:
        app: What it stands round.
        metrics: Where requests are counted.
        log_clients: Whether addresses of clients are logged.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, log_clients: bool) -> None:
        self.app, self.metrics, self.log_clients = app, metrics, log_clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Attend to a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, request_id = time.perf_counter(), str(uuid.uuid4())
        # A head is what GET would answer, without its body.
        is_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET" if is_head else scope["method"]}
        inner["state"] = {**scope.get("state", {}), "request_id": request_id, "outcome": ""}
        reply = Reply(send, request_id, head=is_head)
        try:
            await self._attend(inner, receive, reply)
        finally:
            self._tell(scope, inner, reply.status, request_id, time.perf_counter() - started)

    async def _attend(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Have a request answered; what is raised on the way is answered, too."""
        state = scope["state"]
        try:
            _refuse_chunks(scope)
            await self.app(scope, receive, reply.send)
            return
        except ClientDisconnect:
            state["outcome"] = "gone"
            return
        except Problem as error:
            problem = error
        except asyncio.CancelledError:  # a service that stops has waited long enough
            state["outcome"] = "cut off"
            if reply.status:
                raise
            problem = _stopping()
        except Exception as error:
            described_here = {"request": state["request_id"], **described(error)}
            LOGGER.error("mistake", extra={"data": described_here})
            state["outcome"] = "internal"
            if reply.status:
                raise  # too late for another answer: the connection is all that can be ended
            problem = mistake()
        await problem.response(state["request_id"])(scope, receive, reply.send)

    def _tell(
        self, scope: Scope, inner: Scope, status: int, request_id: str, seconds: float
    ) -> None:
        # Not the path: that is the client's own words. The route is ours.
        route = inner["state"].get("route") or getattr(inner.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        outcome = inner["state"]["outcome"]
        self.metrics.requests.labels(route, method, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        if outcome:
            self.metrics.outcomes.labels(outcome).inc()
        data = {
            "request": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 1),
        }
        data |= {"outcome": outcome} if outcome else {}
        if self.log_clients and scope.get("client"):
            data["client"] = scope["client"][0]
        LOGGER.info("request", extra={"data": data})


def _refuse_chunks(scope: Scope) -> None:
    """Refuse a body whose length is not stated.

    Chunks may be a byte each, which takes the parser seconds for a megabyte; and one that states a
    length besides may mean two requests (RFC 9112, section 6.1).

    Raises:
        Problem: It is such a one.
    """
    if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        raise Problem(
            "length-required",
            "a Content-Length",
            "a body in chunks",
            "state the length",
            headers={"Connection": "close"},
        )


def _stopping() -> Problem:
    return Problem(
        "not-ready",
        "a service that goes on",
        "one that stops",
        "try again in a moment",
        headers={"Retry-After": "1", "Connection": "close"},
        retry_after=1,
    )
