"""The application: routes, limits and the middleware around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from melanoscope.inference.result import DISCLAIMER
from melanoscope.service.http.hosts import AllowedHosts
from melanoscope.service.http.middleware import RequestMiddleware
from melanoscope.service.http.multipart import BodyBudget
from melanoscope.service.http.problems import status_response
from melanoscope.service.metrics import Metrics
from melanoscope.service.openapi import openapi_document, problem_responses
from melanoscope.service.routes import bundle as bundle_routes
from melanoscope.service.routes import diagnoses as diagnoses_routes
from melanoscope.service.routes import health as health_routes
from melanoscope.service.routes import page as page_routes
from melanoscope.service.workers.pool import WorkerPool
from melanoscope.service.workers.tasks import ImageTasks
from melanoscope.version import __version__

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
    from melanoscope.service.settings import Settings
    from melanoscope.target import Target


def create_app(predictor: Predictor, settings: Settings, page: Path | None) -> FastAPI:
    """Return the ASGI application that serves a bundle, and the built `page` if there is one."""
    metrics, bundle = Metrics(), predictor.bundle
    target = bundle.manifest.target
    tasks = ImageTasks(predictor, settings)
    pool = WorkerPool(tasks, settings, metrics)
    readiness = health_routes.Readiness(tasks.warm_up)
    budget = BodyBudget(settings.held_bytes)
    metrics.set_bundle(bundle.fingerprint, bundle.manifest.network.label, target.name)
    metrics.add_gauge("ready", "Whether the network answers.", lambda: float(readiness.is_ready))
    metrics.add_gauge("held_bytes", "Bodies in memory.", lambda: budget.used)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        pool.open()
        readiness.start()
        yield
        readiness.is_stopping = True
        # Clients that could wait have their answer by now; what still runs, runs for nobody.
        await asyncio.to_thread(pool.close, min(1.0, settings.drain_seconds))

    app = _empty_app(lifespan, target)
    app.state.readiness = readiness
    endpoint = diagnoses_routes.AnswerEndpoint(pool, settings, metrics, budget)
    app.include_router(diagnoses_routes.routes(endpoint, target))
    app.include_router(bundle_routes.routes(bundle, explains=tasks.has_gradients))
    app.include_router(health_routes.routes(readiness, metrics))
    app.router.routes.extend(page_routes.routes(page))
    app.openapi = partial(openapi_document, app)  # type: ignore[method-assign]
    app.add_middleware(
        RequestMiddleware,
        metrics=metrics,
        hosts=AllowedHosts(settings.allowed_hosts),
        log_clients=settings.log_clients,
    )
    return app


def _empty_app(
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]], target: Target
) -> FastAPI:
    # Swagger's and ReDoc's pages come from other hosts; a telemetry that is set up for other
    # programs of the machine has no business with photographs.
    return FastAPI(
        title="melanoscope",
        version=__version__,
        summary="Diagnoses one photograph of a skin lesion, and explains its answer.",
        description=f"It looks for {target.condition}: {target.plural} are positive. {DISCLAIMER}",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problem_responses("unknown-host"),
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        exception_handlers={RequestValidationError: _on_validation_error},
    )


async def _on_validation_error(request: Request, _: Exception) -> Response:
    """Answer what FastAPI itself refuses; its texts quote the request."""
    return status_response(422, request.state.request_id)
