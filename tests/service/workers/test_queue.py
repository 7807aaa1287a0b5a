"""Who is next, without threads and clocks."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from melanoscope.patient import PatientInfo
from melanoscope.service.routes.form_fields import DiagnosisRequest
from melanoscope.service.settings import Settings
from melanoscope.service.workers.queue import Job, JobQueue, Step

CLOCK = itertools.count()


def job(prevalence=None) -> Job:
    return Job(b"", DiagnosisRequest(PatientInfo(), prevalence), None, next(CLOCK))


def lanes(queue=8, batch=3, workers=2) -> JobQueue:
    return JobQueue(Settings(queue=queue, batch=batch, workers=workers))


def test_one_alone_is_answered_alone():
    here, one = lanes(), job()
    here.to_decode.append(one)
    assert here.take() == (Step.DECODE, [one])
    here.to_answer.append(one)
    assert here.take() == (Step.ANSWER, [one])
    assert here.take() is None


def test_a_run_waits_for_those_that_are_there_and_for_no_more():
    here, jobs = lanes(batch=3), [job() for _ in range(4)]
    here.to_answer.extend(jobs[:2])
    here.to_decode.append(jobs[2])
    assert here.take() == (Step.DECODE, [jobs[2]])
    here.to_decode.append(jobs[3])
    here.to_answer.append(jobs[2])
    assert here.take() == (Step.ANSWER, jobs[:3])  # full, though one more is to be decoded


def test_other_questions_are_another_run():
    here, jobs = lanes(workers=1), [job(0.1), job(0.2), job(0.1)]
    here.to_answer.extend(jobs)
    assert here.take() == (Step.ANSWER, [jobs[0], jobs[2]])
    assert here.take() == (Step.ANSWER, [jobs[1]])


def test_few_are_divided_among_those_who_could_answer():
    here, jobs = lanes(batch=8, workers=2), [job() for _ in range(5)]
    here.to_answer.extend(jobs)
    assert here.take() == (Step.ANSWER, jobs[:3])
    assert here.take() == (Step.ANSWER, jobs[3:])  # the other one is at work


def test_long_work_leaves_a_worker_to_others():
    here, long, short = lanes(workers=2), [job(), job()], job()
    for one in long:
        assert here.add_slow(one)
    assert here.take() == (Step.SLOW, [long[0]])
    assert here.take() is None
    here.to_decode.append(short)
    assert here.take() == (Step.DECODE, [short])
    here.finish(Step.SLOW)
    assert here.take() == (Step.SLOW, [long[1]])


def test_long_work_has_its_turn():
    """By age, so that a stream of short work does not starve it."""
    here, young, old, younger = lanes(), job(), job(), job()
    here.to_decode.extend([young, younger])
    here.add_slow(old)
    assert here.take()[0] is Step.DECODE
    assert here.take() == (Step.SLOW, [old])


def test_one_worker_does_everything():
    here, long = lanes(workers=1), job()
    here.add_slow(long)
    assert here.take() == (Step.SLOW, [long])


def test_one_worker_takes_turns():
    """Else an hour of explanations is an hour without a diagnosis."""
    here, long, short = lanes(workers=1, batch=1), [job() for _ in range(3)], job()
    for one in long:
        here.add_slow(one)
    here.to_decode.append(short)
    assert here.take() == (Step.SLOW, [long[0]])
    here.finish(Step.SLOW)
    assert here.take() == (Step.DECODE, [short])
    here.finish(Step.DECODE)
    here.to_answer.append(short)
    assert here.take() == (Step.ANSWER, [short])
    here.finish(Step.ANSWER)
    here.to_decode.append(job())
    assert here.take()[0] is Step.SLOW


def test_most_of_the_queue_is_for_short_work():
    here = lanes(queue=8)
    assert [here.add_slow(job()) for _ in range(3)] == [True, True, False]
    here.to_decode.extend([job() for _ in range(5)])
    assert not here.is_full_with()
    assert here.is_full_with(arriving=1)
    here.to_decode.append(job())
    assert here.is_full_with()


def test_who_goes_gives_the_place_back():
    here, jobs = lanes(queue=3), [job() for _ in range(3)]
    here.to_decode.append(jobs[0])
    here.to_answer.append(jobs[1])
    here.add_slow(jobs[2])
    assert here.is_full_with()
    for one in jobs:
        here.discard(one)
    assert len(here) == 0
    here.discard(jobs[0])  # nobody minds


@given(
    st.lists(st.tuples(st.sampled_from("frl"), st.sampled_from([None, 0.1, 0.2])), max_size=30),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_everybody_is_served_once(waiting, batch, workers):
    here, jobs = lanes(queue=1000, batch=batch, workers=workers), []
    for lane, prevalence in waiting:
        jobs.append(job(prevalence))
        {"f": here.to_decode, "r": here.to_answer, "l": here.slow}[lane].append(jobs[-1])
    served = []
    while (taken := here.take()) is not None:
        step, several = taken
        assert 1 <= len(several) <= (batch if step is Step.ANSWER else 1)
        assert len({one.request.prevalence for one in several}) == 1
        assert here.running_slow <= max(1, workers - 1)
        here.finish(step)
        if step is Step.DECODE:
            here.to_answer.extend(several)
        else:
            served += several
    assert sorted(one.queued_at for one in served) == [one.queued_at for one in jobs]
