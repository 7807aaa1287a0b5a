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
from melanoscope.inference.result import DISCLAIMER
from melanoscope.service import openapi
from melanoscope.service.http.middleware import Guard
from melanoscope.service.http.problems import Problem, plain
from melanoscope.service.http.uploads import Held
from melanoscope.service.metrics import Metrics
from melanoscope.service.routes import bundle as bundle_routes
from melanoscope.service.routes import diagnoses as answers_routes
from melanoscope.service.routes import health as health_routes
from melanoscope.service.routes import page as page_routes
from melanoscope.service.workers.pool import Pool
from melanoscope.service.workers.tasks import Work

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
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
    readiness = health_routes.Readiness(work.warm_up)
    bundle = predictor.bundle
    counters.tell_bundle(bundle.fingerprint, bundle.manifest.network.label)
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
    desk = answers_routes.AnswerEndpoint(pool, settings, counters, held)
    app.include_router(answers_routes.routes(desk))
    app.include_router(bundle_routes.routes(bundle, explains=work.explains))
    app.include_router(health_routes.routes(readiness, counters))
    app.router.routes.extend(page_routes.routes(page))
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
