"""GET /healthz, /readyz and /metrics: for whatever keeps the service running."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from melanoscope.service import metrics, openapi
from melanoscope.service.http.problems import Problem
from melanoscope.service.logs import LOGGER, described
from melanoscope.service.workers.pool import WORKER

if TYPE_CHECKING:
    from melanoscope.service.metrics import Metrics


class Readiness:
    """Whether the network has answered a first photograph.

    Args:
        warm_up: Answers one.
    """

    def __init__(self, warm_up: Callable[[], None]) -> None:
        self._warm_up = warm_up
        self.ready = False
        self.stopping = False

    def begin(self) -> None:
        """Have a first photograph answered, by a thread that nobody waits for."""
        self.stopping = False
        threading.Thread(target=self._become, name=f"{WORKER}first", daemon=True).start()

    def _become(self) -> None:
        try:
            self._warm_up()
        except Exception as error:  # noqa: BLE001 - the service stays up to say that it is not ready
            LOGGER.error("not ready", extra={"data": described(error)})
            return
        self.ready = True
        LOGGER.info("ready")


def routes(readiness: Readiness, counters: Metrics) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", **openapi.health())
    async def healthz() -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    @router.get("/readyz", **openapi.readiness())
    async def readyz() -> Response:
        if readiness.ready and not readiness.stopping:
            return Response(b'{"status":"ready"}', media_type="application/json")
        found = "one that stops" if readiness.stopping else "one that has not answered yet"
        raise Problem(
            "not-ready", "a network that answers", found, "wait", headers={"Retry-After": "1"}
        )

    @router.get("/metrics", **openapi.metrics())
    async def read() -> Response:
        return Response(counters.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    return router
