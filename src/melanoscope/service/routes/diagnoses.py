"""POST /v1/diagnoses and /v1/explanations: a form in, an answer or a problem out."""

# Annotations are not postponed here: those of an endpoint name what is local to `routes`.

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from melanoscope.service.http.multipart import BodyBudget, read_form
from melanoscope.service.http.negotiation import negotiated
from melanoscope.service.http.problems import Problem
from melanoscope.service.metrics import Metrics
from melanoscope.service.openapi import (
    BINARY,
    EXAMPLES,
    FORM_PROBLEMS,
    example_answer,
    problem_responses,
)
from melanoscope.service.routes.form_fields import (
    PNG,
    DiagnosisRequest,
    ExplanationOptions,
    diagnosis_request,
    explanation_options,
    photograph_file,
)
from melanoscope.service.schemas import Answer, Explanation
from melanoscope.service.settings import Settings
from melanoscope.service.workers.pool import WorkerPool
from melanoscope.service.workers.tasks import TaskResult
from melanoscope.target import Target

JSON = "application/json"


@dataclass(frozen=True, eq=False)
class AnswerEndpoint:
    """What an endpoint needs to read a form and to have it answered."""

    pool: WorkerPool
    settings: Settings
    metrics: Metrics
    budget: BodyBudget

    async def answer(
        self,
        request: Request,
        photograph: UploadFile,
        fields: DiagnosisRequest,
        options: ExplanationOptions | None = None,
    ) -> Response:
        """Have a photograph diagnosed, or its diagnosis explained if `options` say how."""
        content = await photograph.read()
        await photograph.close()  # which holds another copy
        self.metrics.received_bytes.inc(len(content))
        work = self.pool.submit(content, fields, options, request.state.place)
        del content  # from here on the job alone holds it, until it is decoded
        result = await _while_connected(request, work, self.settings.answer_seconds)
        request.state.outcome = result.outcome
        # An answer derives from photographs whose terms the bundle states.
        headers = {"Link": '<bundle>; rel="license"', **({"Vary": "Accept"} if options else {})}
        return Response(result.body, headers=headers, media_type=request.state.media_type)


def routes(endpoint: AnswerEndpoint, target: Target) -> APIRouter:
    """Return the routes of diagnoses and explanations of a `target`, through `endpoint`."""
    settings = endpoint.settings
    router = APIRouter(prefix="/v1", tags=["answers"], route_class=_form_route(endpoint))

    @router.post(
        "/diagnoses",
        summary="Diagnose a photograph",
        description="The answer to one photograph of a lesion. That a photograph is refused, "
        "with what to do better, is an answer, too. Nothing is kept.",
        response_description="The answer.",
        response_model=Answer,
        responses={
            200: {"content": {JSON: {"example": example_answer(target)}}},
            **problem_responses(*FORM_PROBLEMS),
        },
    )
    async def diagnose(
        request: Request,
        photograph: Annotated[UploadFile, photograph_file(settings)],
        fields: Annotated[DiagnosisRequest, Depends(diagnosis_request)],
    ) -> Response:
        return await endpoint.answer(request, photograph, fields)

    @router.post(
        "/explanations",
        summary="Explain an answer",
        description="Where in the photograph the answer comes from: numbers (JSON), or drawn "
        "over the photograph (PNG), as Accept says.",
        response_description="The explanation.",
        response_model=Explanation,
        responses={
            200: {"content": {JSON: {"example": EXAMPLES["explanation"]}, PNG: BINARY}},
            **problem_responses(*FORM_PROBLEMS, "not-acceptable"),
        },
    )
    async def explain(
        request: Request,
        photograph: Annotated[UploadFile, photograph_file(settings)],
        fields: Annotated[DiagnosisRequest, Depends(diagnosis_request)],
        options: Annotated[ExplanationOptions, Depends(explanation_options(settings.steps))],
    ) -> Response:
        return await endpoint.answer(request, photograph, fields, options)

    return router


class _ReadRequest(Request):
    """A request whose form has been read already."""

    def __init__(self, scope: Scope, receive: Receive, form: FormData) -> None:
        super().__init__(scope, receive)
        self._form = form


def _form_route(endpoint: AnswerEndpoint) -> type[APIRoute]:
    """Return the class of routes whose form is read under the limits of `endpoint`.

    FastAPI would read it without them, and make a status 400 of whatever is raised meanwhile.
    """

    class FormRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()
            offered = list(self.responses[200]["content"])
            explains = any(one.name == "options" for one in self.dependant.dependencies)
            names = [
                field.alias
                for dependant in (self.dependant, *self.dependant.dependencies)
                for field in dependant.body_params
            ]

            async def read_and_handle(request: Request) -> Response:
                try:
                    accept = request.headers.get("accept", "*/*")
                    request.state.media_type = negotiated(accept, offered)
                    # Before the photograph is on its way.
                    endpoint.pool.refuse_if_full(is_slow=explains)
                    with (
                        endpoint.pool.arriving.hold() as place,
                        endpoint.budget.reserve() as reserve,
                    ):
                        request.state.place = place
                        form = await read_form(request, names, endpoint.settings, reserve)
                        request.state.arrived_at = time.perf_counter()
                        return await handle(_ReadRequest(request.scope, request.receive, form))
                except Problem as problem:
                    request.state.outcome = problem.kind
                    raise

            return read_and_handle

    return FormRoute


async def _while_connected(
    request: Request, work: Coroutine[Any, Any, TaskResult], seconds: float
) -> TaskResult:
    """Await work for as long as the client waits, and no longer than `seconds`."""
    working = asyncio.ensure_future(work)
    disconnected = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait(
            {working, disconnected}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if working.done():
            return working.result()
        if disconnected.done():
            raise ClientDisconnect
        raise Problem(
            "took-too-long",
            f"an answer within {seconds:g} s",
            "none yet",
            "try again later, with a smaller photograph or fewer steps",
        )
    finally:
        working.cancel()
        disconnected.cancel()
        # An error that is on its way up holds this frame, and they the photograph.
        del working, disconnected


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
