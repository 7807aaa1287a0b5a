"""Who is next: three lanes of waiting requests, so that long work keeps no short work waiting.

No threads and no clocks here; `batching` brings both.
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
    from melanoscope.service.routes.form_fields import Explaining, Question
    from melanoscope.service.workers.tasks import Answered


@dataclass(eq=False, slots=True)
class Job:
    """One request on its way through the lanes.

    Attributes:
        content: The photograph's file; dropped once decoded.
        asked: What is asked about it.
        explaining: How it is to be explained; None for a diagnosis.
        since: Seconds of a monotonic clock, at which it began to wait.
        future: Of the answer, belonging to `loop`.
        loop: Where the client is attended to.
        decoded: The photograph, once decoded.
        spent: Seconds of workers.
        gone: Whether nobody waits for the answer any more.
    """

    content: bytes
    asked: Question
    explaining: Explaining | None
    since: float
    future: asyncio.Future[Answered] = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)
    decoded: DecodedImage | None = None
    spent: float = 0.0
    gone: bool = False


class Step(Enum):
    """What a worker is to do next."""

    DECODE = "decode"
    ANSWER = "answer"
    LONG = "long"


class JobQueue:
    """Requests that wait.

    Those that just came are to be decoded; those decoded are answered, several by one run of the
    network where that many wait; what takes long (huge photographs, explanations) goes on a lane
    of its own, which may take all workers but one. Where there is only one, it takes turns.

    Args:
        queue: Most that may wait; half of it on the long lane.
        batch: Most that one run answers.
        workers: Who take from here.
    """

    def __init__(self, *, queue: int, batch: int, workers: int) -> None:
        self.queue, self.batch = queue, batch
        self.workers, self.most_long = workers, max(1, workers - 1)
        self.running_long = self.running_answers = 0
        self._was_long = False
        self.fresh: deque[Job] = deque()
        self.ready: deque[Job] = deque()
        self.long: deque[Job] = deque()

    def __len__(self) -> int:
        return len(self.fresh) + len(self.ready) + len(self.long)

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return len(self) >= self.queue

    def add_long(self, job: Job) -> bool:
        """Move a job to the long lane; False where that is full."""
        if len(self.long) >= max(1, self.queue // 2):
            return False
        self.long.append(job)
        return True

    def discard(self, job: Job) -> None:
        """Take a job out, wherever it waits."""
        for lane in (self.fresh, self.ready, self.long):
            if job in lane:
                lane.remove(job)

    def take(self) -> tuple[Step, list[Job]] | None:
        """Return the next thing to do, or None where all that waits has to wait."""
        if self._long_is_next():
            self.running_long += 1
            self._was_long = True
            return Step.LONG, [self.long.popleft()]
        if self.ready and (len(self.ready) >= self.batch or not self.fresh):
            found = self._alike()
            self.running_answers += 1
            self._was_long = False
            return Step.ANSWER, found
        if self.fresh:
            return Step.DECODE, [self.fresh.popleft()]
        return None

    def done(self, step: Step) -> None:
        """Note that a worker is free again."""
        self.running_long -= step is Step.LONG
        self.running_answers -= step is Step.ANSWER

    def _long_is_next(self) -> bool:
        if not self.long or self.running_long >= self.most_long:
            return False
        if self.workers == 1 and self._was_long and (self.ready or self.fresh):
            return False  # who is alone takes turns
        short = [lane[0].since for lane in (self.ready, self.fresh) if lane]
        return not short or self.long[0].since <= min(short)

    def _alike(self) -> list[Job]:
        """Take those that one run can answer: of the same prevalence, forced or not.

        Where there are few, they are divided among the workers that could answer.
        """
        first = self.ready[0].asked
        key = (first.prevalence, first.force)
        found = [job for job in self.ready if (job.asked.prevalence, job.asked.force) == key]
        if len(self.ready) < self.batch:
            others = self.workers - self.running_long - self.running_answers
            found = found[: math.ceil(len(found) / max(1, others))]
        found = found[: self.batch]
        for job in found:
            self.ready.remove(job)
        return found
