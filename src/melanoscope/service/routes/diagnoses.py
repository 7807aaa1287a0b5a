"""POST /v1/diagnoses and /v1/explanations: a form in, an answer or a problem out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from melanoscope.service import openapi
from melanoscope.service.http.negotiation import weight
from melanoscope.service.http.problems import Problem, shown
from melanoscope.service.http.uploads import Held, read_form
from melanoscope.service.routes.form_fields import DIAGNOSIS, EXPLANATION, explaining, question
from melanoscope.service.workers.tasks import Answered

if TYPE_CHECKING:
    from melanoscope.service.metrics import Metrics
    from melanoscope.service.settings import Settings
    from melanoscope.service.workers.pool import Pool

PNG, JSON = "image/png", "application/json"


@dataclass(frozen=True, eq=False)
class AnswerEndpoint:
    """What answering takes.

    Attributes:
        pool: Who answers.
        settings: Limits.
        metrics: Counters.
        held: Bodies in memory.
    """

    pool: Pool
    settings: Settings
    metrics: Metrics
    held: Held

    async def answer(self, request: Request, *, explain: bool) -> Response:
        """Read a form, have it answered, and count what became of it."""
        try:
            media = _wanted(request.headers.get("accept", "*/*")) if explain else JSON
            self.pool.refuse_if_full()  # before the photograph has made its way here
            with self.held.lease() as lease:
                form = await read_form(
                    request, EXPLANATION if explain else DIAGNOSIS, self.settings, lease
                )
                self.metrics.received.inc(len(form.photograph))
                asked = question(form.fields)
                how = None
                if explain:
                    most = self.settings.steps
                    how = explaining(form.fields, most_steps=most, picture=media == PNG)
                content = form.photograph
                del form
                answered = await attended(
                    request, self.pool.ask(content, asked, how), self.settings.answer_seconds
                )
        except Problem as problem:
            request.state.outcome = problem.kind
            raise
        request.state.outcome = answered.outcome
        # What is answered derives from photographs whose terms the bundle tells.
        headers = {"Link": '<bundle>; rel="license"', **({"Vary": "Accept"} if explain else {})}
        return Response(answered.body, headers=headers, media_type=media)


class Direct(APIRoute):
    """Hands the request itself to its endpoint: there is nothing of it that FastAPI should read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint."""
        return self.endpoint


def routes(desk: AnswerEndpoint) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["answers"], route_class=Direct)

    @router.post("/diagnoses", **openapi.diagnosis(desk.settings))
    async def diagnose(request: Request) -> Response:
        return await desk.answer(request, explain=False)

    @router.post("/explanations", **openapi.explanation(desk.settings))
    async def explain(request: Request) -> Response:
        return await desk.answer(request, explain=True)

    return router


async def attended(
    request: Request, answer: Coroutine[Any, Any, Answered], seconds: float
) -> Answered:
    """Await an answer for as long as the client does, and no longer than `seconds`.

    Raises:
        Problem: It took too long.
        ClientDisconnect: The client hung up; nobody works for it any more.
    """
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({work, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        if gone.done():
            raise ClientDisconnect
        raise Problem(
            "took-too-long",
            f"an answer within {seconds:g} s",
            "none yet",
            "try again later, with a smaller photograph or fewer steps",
        )
    finally:
        work.cancel()
        gone.cancel()
        del work, gone  # an error that is on its way up holds this frame, and they the photograph


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _wanted(accept: str) -> str:
    """Choose what an explanation is sent as; JSON where both are as welcome.

    Raises:
        Problem: Neither is.

    >>> _wanted("image/*"), _wanted("image/png;q=0.5, application/json")
    ('image/png', 'application/json')
    """
    weights = {
        media: weight(accept, "*/*", f"{media.partition('/')[0]}/*", media) for media in (JSON, PNG)
    }
    best = max(weights, key=lambda media: weights[media])
    if weights[best] <= 0:
        raise Problem(
            "not-acceptable", f"{JSON} or {PNG} in Accept", shown(accept), "ask for one of them"
        )
    return best
