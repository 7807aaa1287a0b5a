"""Who is next, without threads and clocks."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from melanoscope.patient import PatientInfo
from melanoscope.service.routes.form_fields import Question
from melanoscope.service.workers.queue import Job, JobQueue, Step

CLOCK = itertools.count()


def job(prevalence=None) -> Job:
    nobody = SimpleNamespace()
    return Job(b"", Question(PatientInfo(), prevalence), None, next(CLOCK), nobody, nobody)


def lanes(queue=8, batch=3, workers=2) -> JobQueue:
    return JobQueue(queue=queue, batch=batch, workers=workers)


def test_one_alone_is_answered_alone():
    here, one = lanes(), job()
    here.fresh.append(one)
    assert here.take() == (Step.DECODE, [one])
    here.ready.append(one)
    assert here.take() == (Step.ANSWER, [one])
    assert here.take() is None


def test_a_run_waits_for_those_that_are_there_and_for_no_more():
    here, jobs = lanes(batch=3), [job() for _ in range(4)]
    here.ready.extend(jobs[:2])
    here.fresh.append(jobs[2])
    assert here.take() == (Step.DECODE, [jobs[2]])
    here.fresh.append(jobs[3])
    here.ready.append(jobs[2])
    assert here.take() == (Step.ANSWER, jobs[:3])  # full, though one more is to be decoded


def test_other_questions_are_another_run():
    here, jobs = lanes(workers=1), [job(0.1), job(0.2), job(0.1)]
    here.ready.extend(jobs)
    assert here.take() == (Step.ANSWER, [jobs[0], jobs[2]])
    assert here.take() == (Step.ANSWER, [jobs[1]])


def test_few_are_divided_among_those_who_could_answer():
    here, jobs = lanes(batch=8, workers=2), [job() for _ in range(5)]
    here.ready.extend(jobs)
    assert here.take() == (Step.ANSWER, jobs[:3])
    assert here.take() == (Step.ANSWER, jobs[3:])  # the other one is at work


def test_long_work_leaves_a_worker_to_others():
    here, long, short = lanes(workers=2), [job(), job()], job()
    for one in long:
        assert here.add_long(one)
    assert here.take() == (Step.LONG, [long[0]])
    assert here.take() is None
    here.fresh.append(short)
    assert here.take() == (Step.DECODE, [short])
    here.done(Step.LONG)
    assert here.take() == (Step.LONG, [long[1]])


def test_long_work_has_its_turn():
    """By age, so that a stream of short work does not starve it."""
    here, young, old, younger = lanes(), job(), job(), job()
    here.fresh.extend([young, younger])
    here.add_long(old)
    assert here.take()[0] is Step.DECODE
    assert here.take() == (Step.LONG, [old])


def test_one_worker_does_everything():
    here, long = lanes(workers=1), job()
    here.add_long(long)
    assert here.take() == (Step.LONG, [long])


def test_one_worker_takes_turns():
    """Else an hour of explanations is an hour without a diagnosis."""
    here, long, short = lanes(workers=1, batch=1), [job() for _ in range(3)], job()
    for one in long:
        here.add_long(one)
    here.fresh.append(short)
    assert here.take() == (Step.LONG, [long[0]])
    here.done(Step.LONG)
    assert here.take() == (Step.DECODE, [short])
    here.done(Step.DECODE)
    here.ready.append(short)
    assert here.take() == (Step.ANSWER, [short])
    here.done(Step.ANSWER)
    here.fresh.append(job())
    assert here.take()[0] is Step.LONG


def test_half_of_the_queue_is_for_short_work():
    here = lanes(queue=4)
    assert [here.add_long(job()) for _ in range(3)] == [True, True, False]
    assert not here.full
    here.fresh.extend([job(), job()])
    assert here.full


def test_who_goes_gives_the_place_back():
    here, jobs = lanes(queue=3), [job() for _ in range(3)]
    here.fresh.append(jobs[0])
    here.ready.append(jobs[1])
    here.add_long(jobs[2])
    assert here.full
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
        {"f": here.fresh, "r": here.ready, "l": here.long}[lane].append(jobs[-1])
    served = []
    while (taken := here.take()) is not None:
        step, several = taken
        assert 1 <= len(several) <= (batch if step is Step.ANSWER else 1)
        assert len({one.asked.prevalence for one in several}) == 1
        assert here.running_long <= max(1, workers - 1)
        here.done(step)
        if step is Step.DECODE:
            here.ready.extend(several)
        else:
            served += several
    assert sorted(one.since for one in served) == [one.since for one in jobs]
