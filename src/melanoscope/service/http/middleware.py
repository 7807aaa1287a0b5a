"""Middleware around every request: its id, its line in the log, and an answer to every error."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from melanoscope.service.http.problems import Problem, busy, internal_error
from melanoscope.service.http.response import ResponseSender
from melanoscope.service.logs import LOGGER, exception_summary

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from melanoscope.service.http.hosts import AllowedHosts
    from melanoscope.service.metrics import Metrics

_CROWDED = "melanoscope.crowded"  # a scope's key
_ANSWERED_IN_A_CROWD = ("/healthz", "/readyz", "/metrics")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RequestMiddleware:
    """Give every request an id, answer what is raised, count and log how it ended."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, hosts: AllowedHosts, *, log_clients: bool
    ) -> None:
        self.app, self.metrics, self.hosts, self.log_clients = app, metrics, hosts, log_clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection: `scope`, `receive` and `send` are those of ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, request_id = time.perf_counter(), str(uuid.uuid4())
        # The response to HEAD is that to GET without its body, which uvicorn leaves out.
        inner = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        inner["state"] = {**scope.get("state", {}), "request_id": request_id, "outcome": ""}
        sender = ResponseSender(send, request_id)
        try:
            await self._respond(inner, receive, sender)
        finally:
            ended = time.perf_counter()
            self._record(scope, inner, sender.status, ended - started, ended)

    async def _respond(self, scope: Scope, receive: Receive, sender: ResponseSender) -> None:
        state = scope["state"]
        try:
            self.hosts.check(scope)
            _refuse_in_a_crowd(scope)
            _refuse_chunks(scope)
            await self.app(scope, receive, sender.send)
            return
        except ClientDisconnect:
            state["outcome"] = "gone"
            return
        except Problem as error:
            # Not kept itself: it holds the frames that it came through, and they the photograph.
            response = error.response(state["request_id"])
        except asyncio.CancelledError:  # a service that stops has waited long enough
            state["outcome"] = "cut off"
            if sender.status:
                raise
            response = _stopping().response(state["request_id"])
        except Exception as error:
            data = {"request": state["request_id"], **exception_summary(error)}
            LOGGER.error("mistake", extra={"data": data})
            state["outcome"] = "internal"
            if sender.status:
                raise  # too late for another answer: the connection is all that can be ended
            response = internal_error().response(state["request_id"])
        await response(scope, receive, sender.send)

    def _record(
        self, scope: Scope, inner: Scope, status: int, seconds: float, ended: float
    ) -> None:
        state = inner["state"]
        # The path is a client's own words; the route is ours.
        route = state.get("route") or getattr(inner.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.requests.labels(route, method, str(status)).inc()
        self.metrics.request_seconds.labels(route).observe(seconds)
        data = {
            "request": state["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 1),
        }
        if arrived_at := state.get("arrived_at"):
            data["answer_ms"] = round(1000 * (ended - arrived_at), 1)
        if outcome := state["outcome"]:
            self.metrics.outcomes.labels(outcome).inc()
            data["outcome"] = outcome
        if self.log_clients and scope.get("client"):
            data["client"] = scope["client"][0]
        LOGGER.info("request", extra={"data": data})


def crowded(app: ASGIApp) -> ASGIApp:
    """Return `app` for a connection above their limit: it answers how the service is, no more."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, _CROWDED: True}, receive, send)

    return call


def _refuse_in_a_crowd(scope: Scope) -> None:
    if scope.get(_CROWDED) and scope["path"] not in _ANSWERED_IN_A_CROWD:
        raise busy("fewer connections", "too many", 2)


def _refuse_chunks(scope: Scope) -> None:
    """Raise a problem for a body whose length is not stated."""
    # Chunks may be a byte each, which takes the parser seconds for a megabyte; and one that states
    # a length besides may mean two requests (RFC 9112, section 6.1).
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
