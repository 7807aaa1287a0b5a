"""What stands round every request: its id, its headers, its line in the log, its last resort."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect

from melanoscope.service.headers import secure
from melanoscope.service.logs import LOGGER, described
from melanoscope.service.problems import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        started, seen = time.perf_counter(), _Seen()
        request_id = str(uuid.uuid4())
        # A head is what GET would answer, without its body.
        inner = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        inner["state"] = {**scope.get("state", {}), "request_id": request_id, "outcome": ""}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(headers := MutableHeaders(scope=message))
                headers["X-Request-Id"] = request_id
                seen.status = message["status"]
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, guarded)
        except ClientDisconnect:
            inner["state"]["outcome"] = "gone"
        except Exception as error:
            LOGGER.error("mistake", extra={"data": {"request": request_id, **described(error)}})
            inner["state"]["outcome"] = "internal"
            if seen.status:
                raise  # too late for another answer: the connection is all that can be ended
            problem = Problem("internal", "an answer", "a mistake of ours", "try again later")
            await problem.response(request_id)(inner, receive, guarded)
        finally:
            self._tell(scope, inner, seen, request_id, time.perf_counter() - started)

    def _tell(
        self, scope: Scope, inner: Scope, seen: _Seen, request_id: str, seconds: float
    ) -> None:
        # Not the path: that is the client's own words. The route is ours.
        route = inner["state"].get("route") or getattr(inner.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        outcome = inner["state"]["outcome"]
        self.metrics.requests.labels(route, method, str(seen.status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        if outcome:
            self.metrics.outcomes.labels(outcome).inc()
        data = {
            "request": request_id,
            "method": method,
            "route": route,
            "status": seen.status,
            "ms": round(1000 * seconds, 1),
        }
        data |= {"outcome": outcome} if outcome else {}
        if self.log_clients and scope.get("client"):
            data["client"] = scope["client"][0]
        LOGGER.info("request", extra={"data": data})


class _Seen:
    """The status that was sent, 0 before that."""

    status = 0
