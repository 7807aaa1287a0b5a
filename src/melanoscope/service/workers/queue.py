"""Waiting requests in three lanes, so that slow work never keeps quick work waiting.

There are no threads and no clocks here; `pool` adds both.
"""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.service.routes.form_fields import DiagnosisRequest, ExplanationOptions
    from melanoscope.service.settings import Settings
    from melanoscope.service.workers.tasks import TaskResult


@dataclass(eq=False, slots=True)
class Job:
    """One request on its way through the lanes.

    Attributes:
        content: The photograph's file; b"" once it is decoded.
        options: How the answer is to be explained; None for a diagnosis.
        queued_at: Seconds of a monotonic clock at which the job began to wait.
        future: What becomes of the job; cancelled once nobody waits for it any more.
    """

    content: bytes
    request: DiagnosisRequest
    options: ExplanationOptions | None
    queued_at: float
    future: Future[TaskResult] = field(default_factory=Future, repr=False)
    image: DecodedImage | None = None
    worker_seconds: float = 0.0

    def raise_if_cancelled(self) -> None:
        """End work for which nobody waits any more, by a `CancelledError`."""
        if self.future.cancelled():
            raise CancelledError


class Step(Enum):
    """What a worker is to do next; the values are labels of a metric."""

    DECODE = "decode"
    ANSWER = "answer"
    SLOW = "long"


class JobQueue:
    """Requests that wait, and the rule which of them is next.

    New jobs are to be decoded, except explanations, which are slow anyway; decoded ones are
    answered, several by one run of the network where
    that many wait; slow ones (huge photographs, explanations) have a lane of their own, which may
    hold a quarter of all and take all workers but one. A single worker takes turns: then a slow job
    waits for a batch of quick ones as often as slow ones are before it, which is why they are few.

    Args:
        settings: Limits; `queue`, `batch` and `workers` count.
    """

    def __init__(self, settings: Settings) -> None:
        self.capacity, self.batch = settings.queue, settings.batch
        self.workers = settings.workers
        self.running_slow = self._running_answers = 0
        self._last_was_slow = False
        self.to_decode: deque[Job] = deque()
        self.to_answer: deque[Job] = deque()
        self.slow: deque[Job] = deque()

    def __len__(self) -> int:
        return len(self.to_decode) + len(self.to_answer) + len(self.slow)

    def is_full_with(self, arriving: int = 0) -> bool:
        """Return whether no more jobs may wait, where `arriving` ones have a place already."""
        return len(self) + arriving >= self.capacity

    @property
    def is_slow_lane_full(self) -> bool:
        """Whether no more slow jobs may wait."""
        return len(self.slow) >= max(1, self.capacity // 4)

    def add_slow(self, job: Job) -> bool:
        """Put `job` into the slow lane; returns False, and does nothing, where that is full."""
        if self.is_slow_lane_full:
            return False
        self.slow.append(job)
        return True

    def discard(self, job: Job) -> None:
        """Remove `job` from the lane in which it waits, if it does."""
        for lane in (self.to_decode, self.to_answer, self.slow):
            if job in lane:
                lane.remove(job)

    def take(self) -> tuple[Step, list[Job]] | None:
        """Remove and return the next step and its jobs, until `finish`; None if all must wait."""
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
        """Take jobs of one prevalence, forced or not; few are divided among the idle workers."""
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
