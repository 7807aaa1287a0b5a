"""A few threads behind a bounded queue; photographs that wait together are answered together.

Together, small photographs take less time than one by one, and none is made to wait for others: a
worker that finds one photograph alone answers it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from concurrent.futures import CancelledError, InvalidStateError
from itertools import count
from typing import TYPE_CHECKING

from melanoscope.service.http.problems import Problem, busy, internal_error
from melanoscope.service.logs import LOGGER, exception_summary
from melanoscope.service.workers.places import ArrivingPlaces, Place
from melanoscope.service.workers.queue import Job, JobQueue, Step
from melanoscope.service.workers.tasks import ImageTasks, TaskResult

if TYPE_CHECKING:
    from melanoscope.service.metrics import Metrics
    from melanoscope.service.routes.form_fields import DiagnosisRequest, ExplanationOptions
    from melanoscope.service.settings import Settings

THREAD_PREFIX = "melanoscope-worker-"
"""Beginning of the names of all threads that decode or run the network."""

_SMOOTHING = 0.02  # weight of the newest job in the mean time of a job, of which kinds differ
_MAX_RETRY_SECONDS = 60


class WorkerPool:
    """Threads that decode, answer and explain photographs, and report their work to `metrics`."""

    def __init__(self, tasks: ImageTasks, settings: Settings, metrics: Metrics) -> None:
        self._tasks, self._settings, self._metrics = tasks, settings, metrics
        self._queue = JobQueue(settings)
        self.arriving = ArrivingPlaces()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._numbers = count()
        self._closed = False
        self._running = 0
        self._job_seconds = 0.05  # of one worker, until the mean of real jobs is known
        metrics.add_gauge("queue_requests", "Requests that wait.", lambda: len(self._queue))
        metrics.add_gauge(
            "arriving_requests", "Requests with a place whose body arrives.", self._arriving
        )
        metrics.add_gauge("running_requests", "Requests that are worked on.", lambda: self._running)

    async def submit(
        self,
        content: bytes,
        request: DiagnosisRequest,
        options: ExplanationOptions | None,
        place: Place,
    ) -> TaskResult:
        """Answer a file, or explain the answer if `options` say how; may be cancelled.

        Args:
            content: The photograph's file.
            request: What is asked about it.
            options: How the answer is to be explained; None for a diagnosis.
            place: Where it was held while the file arrived, a diagnosis is not refused now.

        Returns:
            The body of the response.

        Raises:
            Problem: No more may wait, or what became of the work.
        """
        job = Job(content, request, options, queued_at=time.monotonic())
        del content  # which the job drops once it is decoded
        with self._changed:
            if self._closed or not place.is_held:
                self.refuse_if_full(is_slow=options is not None)
            place.leave()
            self._start_threads()
            if options is None:
                self._queue.to_decode.append(job)
            elif not self._queue.add_slow(job):
                raise self._busy()
            self._changed.notify()
        try:
            return await asyncio.wrap_future(job.future)
        finally:
            with self._changed:
                job.future.cancel()
                self._queue.discard(job)
            del job  # an error that is on its way up holds this frame

    def refuse_if_full(self, *, is_slow: bool = False) -> None:
        """Raise the problem "busy", which says when to come again, if no more may wait.

        Args:
            is_slow: Whether it is to wait in the lane for slow work.

        Raises:
            Problem: No more may.
        """
        full = self._queue.is_full_with(self.arriving.taken) or (
            is_slow and self._queue.is_slow_lane_full
        )
        if self._closed or full:
            raise self._busy()

    def open(self) -> None:
        """Let requests in, also after `close`."""
        self._closed = False

    def close(self, seconds: float) -> None:
        """Stop the threads; `seconds` is the longest time to wait for what they are at."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._threads.clear()

    def _arriving(self) -> float:
        return self.arriving.taken

    def _busy(self) -> Problem:
        seconds = len(self._queue) * self._job_seconds / self._settings.workers
        wait = min(max(1, math.ceil(seconds)), _MAX_RETRY_SECONDS)
        return busy(f"fewer than {self._settings.queue} waiting requests", "as many", wait)

    def _start_threads(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < self._settings.workers:
            name = f"{THREAD_PREFIX}{next(self._numbers)}"
            # A stopping service waits for them in `close`; a decoder that hangs must not keep it.
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _replace(self, dead: threading.Thread) -> None:
        self._threads = [thread for thread in self._threads if thread is not dead]
        self._start_threads()

    def _run(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._work(*taken)
                del taken  # no photograph outlives its answer
        except BaseException as error:  # noqa: BLE001 - whatever a library ends a thread with
            LOGGER.error("a worker died", extra={"data": exception_summary(error)})
            self._metrics.dead_workers.inc()
            with self._changed:
                if not self._closed or len(self._queue):
                    self._replace(threading.current_thread())

    def _work(self, step: Step, jobs: list[Job]) -> None:
        """Do a step; whatever becomes of it, its jobs are settled or passed on."""
        started = time.monotonic()
        try:
            self._do(step, [job for job in jobs if not job.future.cancelled()])
        except BaseException:
            for job in jobs:
                _settle(job, internal_error())
            raise
        finally:
            seconds = time.monotonic() - started
            self._finish(step, jobs, seconds)
        self._metrics.step_seconds.labels(step.value).observe(seconds)

    def _take(self) -> tuple[Step, list[Job]] | None:
        with self._changed:
            while (taken := self._queue.take()) is None:
                if self._closed:
                    return None
                self._changed.wait()
            self._running += len(taken[1])
            if len(self._queue):  # an idle worker may be of use
                self._changed.notify()
            return taken

    def _finish(self, step: Step, jobs: list[Job], seconds: float) -> None:
        with self._changed:
            self._running -= len(jobs)
            self._queue.finish(step)
        for job in jobs:
            job.worker_seconds += seconds / len(jobs)
            if step is not Step.DECODE:
                self._job_seconds += _SMOOTHING * (job.worker_seconds - self._job_seconds)

    def _do(self, step: Step, jobs: list[Job]) -> None:
        if step is Step.ANSWER and jobs:
            self._answer(jobs)
        for job in jobs if step is not Step.ANSWER else ():
            try:
                self._do_slow(job) if step is Step.SLOW else self._decode(job)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                _settle(job, error)

    def _decode(self, job: Job) -> None:
        """Decode a photograph, unless that takes long, and pass the job on."""
        job.image = self._tasks.decode(job.content, allow_heavy=False)
        if job.image is not None:
            job.content = b""
        self._pass_on(job, is_slow=job.image is None or job.options is not None)

    def _do_slow(self, job: Job) -> None:
        if job.image is None:
            job.image, job.content = self._tasks.decode(job.content, allow_heavy=True), b""
        if job.options is None:
            self._pass_on(job, is_slow=False)
        elif (image := job.image) is not None:
            _settle(
                job, self._tasks.explain(image, job.request, job.options, job.raise_if_cancelled)
            )

    def _pass_on(self, job: Job, *, is_slow: bool) -> None:
        with self._changed:
            if job.future.cancelled():
                return
            if not is_slow:
                self._queue.to_answer.append(job)
            elif not self._queue.add_slow(job):
                raise self._busy()

    def _answer(self, jobs: list[Job]) -> None:
        images = [job.image for job in jobs if job.image is not None]
        try:
            results = self._tasks.answer(images, [job.request for job in jobs])
        except Exception as error:  # noqa: BLE001 - as above
            if len(jobs) == 1:
                _settle(jobs[0], error)
                return
            for job in jobs:  # one that fails must not spoil the others
                self._answer([job])
            return
        self._metrics.batch_sizes.observe(len(jobs))
        for job, result in zip(jobs, results, strict=True):
            _settle(job, result)


def _settle(job: Job, result: TaskResult | Exception) -> None:
    with contextlib.suppress(InvalidStateError):  # of a job that was cancelled meanwhile
        if isinstance(result, Exception):
            job.future.set_exception(_as_problem(result))
        else:
            job.future.set_result(result)


def _as_problem(error: Exception) -> Problem:
    """Make a problem of any error, without its frames, which hold the photograph."""
    if not isinstance(error, Problem):
        if not isinstance(error, CancelledError):
            LOGGER.error("mistake", extra={"data": exception_summary(error)})
        error = internal_error()
    error.__traceback__ = error.__context__ = None
    return error
