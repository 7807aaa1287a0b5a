"""GET /healthz, /readyz and /metrics, for whatever keeps the service running."""

import threading
from collections.abc import Callable

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from melanoscope.service.http.problems import Problem
from melanoscope.service.logs import LOGGER, exception_summary
from melanoscope.service.metrics import Metrics
from melanoscope.service.openapi import problem_responses
from melanoscope.service.schemas import Alive, Ready
from melanoscope.service.workers.pool import THREAD_PREFIX


class Readiness:
    """Whether the network has answered the photograph of `warm_up`, and the service goes on."""

    def __init__(self, warm_up: Callable[[], None]) -> None:
        self._warm_up = warm_up
        self.is_ready = False
        self.is_stopping = False

    def start(self) -> None:
        """Have the first photograph answered in a thread that nobody waits for."""
        self.is_stopping = False
        threading.Thread(target=self._run, name=f"{THREAD_PREFIX}first", daemon=True).start()

    def _run(self) -> None:
        try:
            self._warm_up()
        except BaseException as error:  # noqa: BLE001 - the service stays up to say that it is not ready
            LOGGER.error("not ready", extra={"data": exception_summary(error)})
            return
        self.is_ready = True
        LOGGER.info("ready")


def routes(readiness: Readiness, metrics: Metrics) -> APIRouter:
    """Return the routes that tell of the service's `readiness` and of its `metrics`."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process answers", response_model=Alive)
    async def healthz() -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    @router.get(
        "/readyz",
        summary="Whether the network has answered a first photograph",
        response_model=Ready,
        responses=problem_responses("not-ready"),
    )
    async def readyz() -> Response:
        if readiness.is_ready and not readiness.is_stopping:
            return Response(b'{"status":"ready"}', media_type="application/json")
        found = "one that stops" if readiness.is_stopping else "one that has not answered yet"
        raise Problem(
            "not-ready", "a network that answers", found, "wait", headers={"Retry-After": "1"}
        )

    @router.get(
        "/metrics",
        summary="Counters",
        response_class=Response,
        responses={200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
    )
    async def exposition() -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
