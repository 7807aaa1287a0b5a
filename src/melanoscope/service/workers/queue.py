"""Waiting requests in three lanes, so that slow work never keeps quick work waiting.

There are no threads and no clocks here; `pool` adds both.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.service.routes.form_fields import DiagnosisRequest, ExplanationOptions
    from melanoscope.service.workers.tasks import TaskResult


@dataclass(eq=False, slots=True)
class Job:
    """One request on its way through the lanes.

    Attributes:
        content: The photograph's file; b"" once it is decoded.
        request: What the client asks about the photograph.
        options: How the answer is to be explained; None for a diagnosis.
        queued_at: Seconds of a monotonic clock at which the job began to wait.
        future: Future of the result, which belongs to `loop`.
        loop: Event loop that serves the client.
        image: The decoded photograph; None before that.
        worker_seconds: Time that workers have spent on the job.
        cancelled: Whether nobody waits for the result any more.
    """

    content: bytes
    request: DiagnosisRequest
    options: ExplanationOptions | None
    queued_at: float
    future: asyncio.Future[TaskResult] = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)
    image: DecodedImage | None = None
    worker_seconds: float = 0.0
    cancelled: bool = False


class Step(Enum):
    """What a worker is to do next; the values are labels of a metric."""

    DECODE = "decode"
    ANSWER = "answer"
    SLOW = "long"


class JobQueue:
    """Requests that wait, and the rule which of them is next.

    New jobs are to be decoded; decoded ones are answered, several by one run of the network where
    that many wait; slow ones (huge photographs, explanations) have a lane of their own, which may
    take all workers but one. A single worker takes turns.

    Args:
        capacity: Jobs that may wait, half of them in the slow lane.
        batch: Photographs that one run of the network may answer.
        workers: Number of threads that take jobs.

    Attributes:
        to_decode: Jobs that have just come.
        to_answer: Jobs whose photograph is decoded.
        slow: Jobs that take long.
        running_slow: Workers that are busy with slow jobs.
    """

    def __init__(self, *, capacity: int, batch: int, workers: int) -> None:
        self.capacity, self.batch, self.workers = capacity, batch, workers
        self.running_slow = self._running_answers = 0
        self._last_was_slow = False
        self.to_decode: deque[Job] = deque()
        self.to_answer: deque[Job] = deque()
        self.slow: deque[Job] = deque()

    def __len__(self) -> int:
        return len(self.to_decode) + len(self.to_answer) + len(self.slow)

    @property
    def is_full(self) -> bool:
        """Whether no more jobs may wait."""
        return len(self) >= self.capacity

    def add_slow(self, job: Job) -> bool:
        """Put `job` into the slow lane; returns False, and does nothing, where that is full."""
        if len(self.slow) >= max(1, self.capacity // 2):
            return False
        self.slow.append(job)
        return True

    def discard(self, job: Job) -> None:
        """Remove `job` from the lane in which it waits, if it does."""
        for lane in (self.to_decode, self.to_answer, self.slow):
            if job in lane:
                lane.remove(job)

    def take(self) -> tuple[Step, list[Job]] | None:
        """Remove and return the next jobs, to be reported to `finish` once they are done.

        Returns:
            The step and its jobs, several for `Step.ANSWER` alone; None where every job that waits
            has to go on waiting.
        """
        if self._is_slow_next():
            self.running_slow += 1
            self._last_was_slow = True
            return Step.SLOW, [self.slow.popleft()]
        if self.to_answer and (len(self.to_answer) >= self.batch or not self.to_decode):
            jobs = self._take_batch()
            self._running_answers += 1
            self._last_was_slow = False
            return Step.ANSWER, jobs
        if self.to_decode:
            return Step.DECODE, [self.to_decode.popleft()]
        return None

    def finish(self, step: Step) -> None:
        """Note that the worker that took `step` is free again."""
        self.running_slow -= step is Step.SLOW
        self._running_answers -= step is Step.ANSWER

    def _is_slow_next(self) -> bool:
        if not self.slow or self.running_slow >= max(1, self.workers - 1):
            return False
        if self.workers == 1 and self._last_was_slow and (self.to_answer or self.to_decode):
            return False  # a single worker takes turns
        quick = [lane[0].queued_at for lane in (self.to_answer, self.to_decode) if lane]
        return not quick or self.slow[0].queued_at <= min(quick)

    def _take_batch(self) -> list[Job]:
        """Take jobs that one run can answer: those of the same prevalence, forced or not.

        Where few wait, they are divided among the workers that could answer.
        """
        first = self.to_answer[0].request
        key = (first.prevalence, first.force)
        jobs = [j for j in self.to_answer if (j.request.prevalence, j.request.force) == key]
        if len(self.to_answer) < self.batch:
            idle = self.workers - self.running_slow - self._running_answers
            jobs = jobs[: math.ceil(len(jobs) / max(1, idle))]
        jobs = jobs[: self.batch]
        for job in jobs:
            self.to_answer.remove(job)
        return jobs
