"""A few threads behind a bounded queue; what waits together is answered together.

Together, small photographs take less time than one by one, and nobody is made to wait for company:
a worker that finds one photograph alone answers it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING

from melanoscope.service.http.problems import Problem, mistake
from melanoscope.service.logs import LOGGER, described
from melanoscope.service.workers.explanations import Cancelled
from melanoscope.service.workers.queue import Job, JobQueue, Step
from melanoscope.service.workers.tasks import Answered, Work

if TYPE_CHECKING:
    from melanoscope.service.metrics import Metrics
    from melanoscope.service.routes.form_fields import Explaining, Question
    from melanoscope.service.settings import Settings

WORKER = "melanoscope-worker-"
"""What the names of working threads begin with."""

_SMOOTHING = 0.1  # weight of the newest job in the mean time of one
_LONGEST_RETRY = 60


class Pool:
    """Workers that decode, answer and explain.

    Args:
        work: What they do.
        settings: Queue, batch and workers.
        metrics: Where they tell of it.
    """

    def __init__(self, work: Work, settings: Settings, metrics: Metrics) -> None:
        self._work, self._settings, self._metrics = work, settings, metrics
        self._lanes = JobQueue(queue=settings.queue, batch=settings.batch, workers=settings.workers)
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._running = 0
        self._pace = 0.05  # seconds of one worker for one request, until that is known
        metrics.watch("queue_requests", "Requests that wait.", lambda: len(self._lanes))
        metrics.watch("running_requests", "Requests that are worked on.", lambda: self._running)

    @property
    def full(self) -> bool:
        """Whether no more requests may wait."""
        return self._closed or self._lanes.full

    async def ask(
        self, content: bytes, asked: Question, explaining: Explaining | None = None
    ) -> Answered:
        """Answer or explain a photograph; cancelled, it gives its place back.

        Raises:
            Problem: The queue is full, or the photograph cannot be answered.
        """
        loop = asyncio.get_running_loop()
        job = Job(content, asked, explaining, time.monotonic(), loop.create_future(), loop)
        with self._changed:
            self.refuse_if_full()
            self._start_threads()
            self._lanes.fresh.append(job)
            self._changed.notify()
        try:
            return await job.future
        finally:
            with self._changed:
                job.gone = True
                self._lanes.discard(job)
            del job  # an error that is on its way up holds this frame

    def refuse_if_full(self) -> None:
        """Shed load.

        Raises:
            Problem: No more requests may wait; says when to come again.
        """
        if self.full:
            raise self._busy()

    def open(self) -> None:
        """Let requests in, again after `close`."""
        self._closed = False

    def close(self, seconds: float) -> None:
        """Stop the workers; waits for what they are at, but not for ever."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._threads.clear()

    def _busy(self) -> Problem:
        share = len(self._lanes) * self._pace / self._settings.workers
        wait = min(max(1, math.ceil(share)), _LONGEST_RETRY)
        return Problem(
            "busy",
            f"fewer than {self._settings.queue} waiting requests",
            "as many",
            f"try again in {wait} s",
            headers={"Retry-After": str(wait)},
            retry_after=wait,
        )

    def _start_threads(self) -> None:
        while len(self._threads) < self._settings.workers:
            name = f"{WORKER}{len(self._threads)}"
            # A stopping service waits for them in `close`; a decoder that hangs must not keep it.
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            step, jobs = taken
            started = time.monotonic()
            self._do(step, [job for job in jobs if not job.gone])
            seconds = time.monotonic() - started
            self._metrics.steps.labels(step.value).observe(seconds)
            self._finish(step, jobs, seconds)
            del taken, jobs  # no photograph outlives its answer

    def _take(self) -> tuple[Step, list[Job]] | None:
        with self._changed:
            while (taken := self._lanes.take()) is None:
                if self._closed:
                    return None
                self._changed.wait()
            self._running += len(taken[1])
            if len(self._lanes):  # somebody idle may be of use
                self._changed.notify()
            return taken

    def _finish(self, step: Step, jobs: list[Job], seconds: float) -> None:
        with self._changed:
            self._running -= len(jobs)
            self._lanes.done(step)
        for job in jobs:
            job.spent += seconds / len(jobs)
            if step is not Step.DECODE:
                self._pace += _SMOOTHING * (job.spent - self._pace)

    def _do(self, step: Step, jobs: list[Job]) -> None:
        if step is Step.ANSWER and jobs:
            self._answer(jobs)
        for job in jobs if step is not Step.ANSWER else ():
            try:
                self._do_long(job) if step is Step.LONG else self._decode(job)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                _settle(job, error)

    def _decode(self, job: Job) -> None:
        """Decode a photograph, unless that takes long, and pass the job on."""
        job.decoded = self._work.decode(job.content, light=True)
        if job.decoded is not None:
            job.content = b""
        self._pass_on(job, long=job.decoded is None or job.explaining is not None)

    def _do_long(self, job: Job) -> None:
        if job.decoded is None:
            job.decoded, job.content = self._work.decode(job.content, light=False), b""
        if job.explaining is None:
            self._pass_on(job, long=False)
        elif (photograph := job.decoded) is not None:
            answer = self._work.explain(photograph, job.asked, job.explaining, lambda: not job.gone)
            _settle(job, answer)

    def _pass_on(self, job: Job, *, long: bool) -> None:
        with self._changed:
            if job.gone:
                return
            if not long:
                self._lanes.ready.append(job)
            elif not self._lanes.add_long(job):
                raise self._busy()

    def _answer(self, jobs: list[Job]) -> None:
        photographs = [job.decoded for job in jobs if job.decoded is not None]
        try:
            answers = self._work.answer(photographs, [job.asked for job in jobs])
        except Exception as error:  # noqa: BLE001 - as above
            if len(jobs) == 1:
                _settle(jobs[0], error)
                return
            for job in jobs:  # one of them spoils it; not for the others
                self._answer([job])
            return
        self._metrics.batches.observe(len(jobs))
        for job, answer in zip(jobs, answers, strict=True):
            _settle(job, answer)


def _settle(job: Job, result: Answered | Exception) -> None:
    if isinstance(result, Exception):
        result = _tellable(result)

    def settle() -> None:
        if job.future.done():
            return
        if isinstance(result, Exception):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)

    # A loop that is closed has nobody who waits.
    with contextlib.suppress(RuntimeError):
        job.loop.call_soon_threadsafe(settle)


def _tellable(error: Exception) -> Problem:
    """Make an error one that a client may be told, without its frames: they hold the photograph."""
    if not isinstance(error, Problem):
        if not isinstance(error, Cancelled):
            LOGGER.error("mistake", extra={"data": described(error)})
        error = mistake()
    error.__traceback__ = error.__context__ = None
    return error
