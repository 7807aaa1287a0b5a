"""The application: routes, limits and what stands round them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from melanoscope import __version__
from melanoscope.diagnosis.answer import DISCLAIMER
from melanoscope.service import (
    openapi,
    routes_answers,
    routes_bundle,
    routes_health,
    routes_page,
)
from melanoscope.service.batching import Pool
from melanoscope.service.guard import Guard
from melanoscope.service.metrics import Metrics
from melanoscope.service.problems import Problem, plain
from melanoscope.service.uploads import Held
from melanoscope.service.work import Work

if TYPE_CHECKING:
    from melanoscope.diagnosis.predictor import Predictor
    from melanoscope.service.settings import Settings


def create_app(predictor: Predictor, settings: Settings, page: Path | None) -> FastAPI:
    """Build the service of a bundle.

    Args:
        predictor: Who answers.
        settings: Limits.
        page: Folder of the built page, or None.
    """
    counters = Metrics()
    work = Work(predictor, settings)
    pool = Pool(work, settings, counters)
    readiness = routes_health.Readiness(work.warm_up)
    bundle = predictor.bundle
    counters.tell_bundle(bundle.fingerprint, str(bundle.record["network"]["label"]))
    counters.watch("ready", "Whether the network answers.", lambda: float(readiness.ready))

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        pool.open()
        readiness.begin()
        yield
        readiness.stopping = True
        # Whoever could wait has been answered or told; what still runs, runs for nobody.
        await asyncio.to_thread(pool.close, min(1.0, settings.drain_seconds))

    # Swagger's and ReDoc's pages come from other hosts; a telemetry that is set up for other
    # programs of the machine has no business with photographs.
    app = FastAPI(
        title="melanoscope",
        version=__version__,
        summary="Diagnoses one photograph of a skin lesion, and explains its answer.",
        description=DISCLAIMER,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        exception_handlers={
            Problem: _on_problem,
            HTTPException: _on_status,
            RequestValidationError: _on_nonsense,
        },
    )
    app.state.pool, app.state.readiness, app.state.metrics = pool, readiness, counters
    held = Held(settings.held_bytes)
    counters.watch("held_bytes", "Bodies in memory.", lambda: held.now)
    desk = routes_answers.Desk(pool, settings, counters, held)
    app.include_router(routes_answers.routes(desk))
    app.include_router(routes_bundle.routes(bundle, explains=work.explains))
    app.include_router(routes_health.routes(readiness, counters))
    app.router.routes.extend(routes_page.routes(page))
    app.openapi = partial(openapi.describe, app)  # type: ignore[method-assign]
    app.add_middleware(Guard, metrics=counters, log_clients=settings.log_clients)
    return app


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for nothing else
    return error.response(request.state.request_id)


async def _on_status(request: Request, error: Exception) -> Response:
    """Say 404, 405 and the like; the framework's own texts may quote the request."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    headers = dict(error.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] += ", HEAD"  # which `Guard` makes of GET
    return plain(error.status_code, request.state.request_id, headers)


async def _on_nonsense(request: Request, _: Exception) -> Response:
    """Answer what the framework's own checks refuse; their texts quote the request."""
    return plain(422, request.state.request_id)
