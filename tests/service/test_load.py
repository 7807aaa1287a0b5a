"""Many at once: joined, shed, kept apart, given up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from melanoscope.service.workers import places

from .conftest import (
    Service,
    eventually,
    flat_png,
    form,
    head,
    is_problem,
    photograph,
    reply,
)

WAITING, RUNNING = "melanoscope_queue_requests", "melanoscope_running_requests"
GONE = 'melanoscope_photographs_total{outcome="gone"}'


def at_once(service: Service, pool: ThreadPoolExecutor, contents, **fields):
    return [pool.submit(service.diagnose, one, **fields) for one in contents]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(128) as one:
        yield one


def test_those_who_wait_are_answered_together(serve, pool):
    service = serve(workers=1, batch=4)
    service.predictor.go_on.clear()
    asked = [pool.submit(service.diagnose, photograph(seed=n), age=str(n)) for n in range(1, 10)]
    eventually(lambda: service.metric(WAITING) + service.metric(RUNNING) == 9)
    service.predictor.go_on.set()
    answers = [one.result().json() for one in asked]
    assert [one["person"]["age"] for one in answers] == list(range(1, 10))
    assert len({one["evidence"]["photograph"] for one in answers}) == 9
    batches = service.predictor.batches[1:]  # the first is the warm-up's
    assert sum(batches) == 9
    assert max(batches) == 4


def test_only_alike_questions_share_a_run(serve, pool):
    service = serve(workers=1, batch=8)
    service.predictor.go_on.clear()
    first = pool.submit(service.diagnose, photograph())
    eventually(lambda: service.metric(RUNNING) == 1)
    low = at_once(service, pool, [photograph()] * 2, prevalence="0.1")
    high = at_once(service, pool, [photograph()] * 2, prevalence="0.4")
    eventually(lambda: service.metric(WAITING) == 4)
    service.predictor.go_on.set()
    assert first.result().json()["prevalence"] == 0.0176
    assert {one.result().json()["prevalence"] for one in low} == {0.1}
    assert {one.result().json()["prevalence"] for one in high} == {0.4}


def test_one_that_fails_does_not_spoil_the_others(serve, pool):
    service = serve(workers=1, batch=4)
    service.predictor.go_on.clear()
    asked = at_once(service, pool, [photograph(), b"nothing", photograph(), b"", photograph()])
    eventually(lambda: service.metric(RUNNING) >= 1)
    service.predictor.go_on.set()
    assert [one.result().status_code for one in asked] == [200, 422, 200, 422, 200]


def test_a_full_queue_sheds(serve, pool):
    service = serve(workers=1, batch=1, queue=2)
    service.predictor.go_on.clear()
    asked = at_once(service, pool, [photograph()])
    eventually(lambda: service.metric(RUNNING) == 1)
    asked += at_once(service, pool, [photograph()] * 2)
    eventually(lambda: service.metric(WAITING) == 2)
    response = service.diagnose(photograph())
    problem = is_problem(response, 503, "busy")
    assert int(response.headers["retry-after"]) == problem["retry_after"] >= 1
    assert service.client.get("/healthz").status_code == 200
    # Shed before the photograph has been sent.
    with service.connect() as connection:
        connection.sendall(head(1_000_000, "/v1/diagnoses", "Expect: 100-continue"))
        assert b" 503 " in connection.recv(1000)
    service.predictor.go_on.set()
    assert [one.result().status_code for one in asked] == [200] * 3
    assert service.diagnose(photograph()).status_code == 200


def test_bodies_are_bounded_together(serve):
    body = form(b"x" * 5000)
    service = serve(held_bytes=8_000)
    with service.connect() as slow:
        slow.sendall(head(len(body)) + body[:4500])
        eventually(lambda: service.metric("melanoscope_held_bytes") == 4500)
        is_problem(service.diagnose(b"y" * 4000), 503, "busy")
    eventually(lambda: service.diagnose(b"y" * 4000).status_code == 422)


def test_an_answer_that_takes_too_long_is_504(serve):
    service = serve(answer_seconds=0.3)
    service.predictor.go_on.clear()
    is_problem(service.diagnose(photograph()), 504, "took-too-long")
    is_problem(service.explain(photograph()), 504, "took-too-long")
    service.predictor.go_on.set()
    eventually(lambda: service.metric(RUNNING) == 0)
    assert service.diagnose(photograph()).status_code == 200


def test_nobody_works_for_a_client_that_hung_up(serve):
    service = serve(workers=1, batch=1)
    service.predictor.go_on.clear()
    body = form(photograph())
    first, second = service.connect(), service.connect()
    first.sendall(head(len(body)) + body)
    eventually(lambda: service.metric(RUNNING) == 1)
    second.sendall(head(len(body)) + body)
    eventually(lambda: service.metric(WAITING) == 1)
    second.close()
    eventually(lambda: service.metric(WAITING) == 0)  # its place is free again
    first.close()
    eventually(lambda: service.metric(GONE) == 2)
    service.predictor.go_on.set()
    eventually(lambda: service.metric(RUNNING) == 0)
    assert service.predictor.decoded == 2  # the warm-up's and the first


def test_a_hundred_bombs_keep_nobody_waiting(serve, pool):
    service = serve(queue=256, connections=256)
    bomb = flat_png(30_000, 30_000)
    limits = httpx.Limits(max_connections=200)
    with httpx.Client(base_url=service.url, timeout=60, limits=limits) as client:
        bombs = [pool.submit(service.diagnose, bomb, client) for _ in range(100)]
        good = [service.diagnose(photograph(seed=n)).status_code for n in range(10)]
        refused = [one.result() for one in bombs]
    assert good == [200] * 10
    assert {one.status_code for one in refused} == {422}
    assert all("bomb" in one.json()["found"] for one in refused)


def test_huge_photographs_keep_nobody_waiting(serve, pool):
    """Whole, within the limits, and slow to decode: 36 million pixels each."""
    service = serve(queue=80, heavy_pixels=1_000_000, answer_seconds=60)
    huge = flat_png(6_000, 6_000)
    with httpx.Client(base_url=service.url, timeout=60) as client:
        slow = [pool.submit(service.diagnose, huge, client, force="true") for _ in range(30)]
        eventually(lambda: service.metric(WAITING) >= 15)
        started = time.monotonic()
        good = [service.diagnose(photograph(seed=n)).status_code for n in range(5)]
        took = time.monotonic() - started
        found = [one.result().status_code for one in slow]
    assert good == [200] * 5
    assert set(found) == {200, 503}  # a quarter of the queue is all that they may take
    assert found.count(200) >= 15
    assert took < 5


def test_explanations_leave_a_worker_to_others(serve, pool):
    service = serve(workers=2)
    service.predictor.delay = 0.3
    slow = [pool.submit(service.explain, photograph(), method="gradients") for _ in range(6)]
    eventually(lambda: service.metric(WAITING) >= 4)
    started = time.monotonic()
    assert service.diagnose(photograph()).status_code == 200
    assert time.monotonic() - started < 1.5  # six in a row would take 3.6 s
    assert {one.result().status_code for one in slow} == {200}


ARRIVING = "melanoscope_arriving_requests"


def test_a_photograph_on_its_way_has_its_place(serve):
    """Who has been let in is not refused at the end, and no more are let in than may wait."""
    service = serve(workers=1, batch=1, queue=2)
    body = form(photograph())
    let_in = [service.connect() for _ in range(2)]
    for one in let_in:
        one.sendall(head(len(body)) + body[:500])
    eventually(lambda: service.metric(ARRIVING) == 2)
    is_problem(service.diagnose(photograph()), 503, "busy")
    for one in let_in:
        one.sendall(body[500:])
    assert [reply(one)[0] for one in let_in] == [200, 200]
    eventually(lambda: service.metric(ARRIVING) == 0)
    for one in let_in:
        one.close()


def test_who_sends_slowly_holds_no_place(serve, monkeypatch):
    monkeypatch.setattr(places, "ARRIVAL_SECONDS", 0.1)
    service = serve(workers=1, batch=1, queue=1)
    body = form(photograph())
    with service.connect() as slow, ThreadPoolExecutor(2) as pool:
        slow.sendall(head(len(body)) + body[:500])
        eventually(lambda: service.metric(ARRIVING) == 1)
        eventually(lambda: service.metric(ARRIVING) == 0)
        service.predictor.go_on.clear()
        others = at_once(service, pool, [photograph()])
        eventually(lambda: service.metric(RUNNING) == 1)
        others += at_once(service, pool, [photograph()])
        eventually(lambda: service.metric(WAITING) == 1)
        slow.sendall(body[500:])
        assert reply(slow)[0] == 503  # it would be one too many
        service.predictor.go_on.set()
        assert [one.result().status_code for one in others] == [200, 200]


def test_an_explanation_too_many_is_refused_before_it_is_sent(serve, pool):
    """Their lane is full, the queue is not."""
    service = serve(workers=1, batch=1, queue=8)
    service.predictor.go_on.clear()
    slow = [pool.submit(service.explain, photograph())]
    eventually(lambda: service.metric(RUNNING) == 1)
    slow += [pool.submit(service.explain, photograph()) for _ in range(2)]
    eventually(lambda: service.metric(WAITING) == 2)
    with service.connect() as connection:
        connection.sendall(head(1_000_000, "/v1/explanations", "Expect: 100-continue"))
        assert reply(connection)[0] == 503  # and no 100 Continue before it
    quick = pool.submit(service.diagnose, photograph())
    eventually(lambda: service.metric(WAITING) == 3)
    service.predictor.go_on.set()
    assert {one.result().status_code for one in [*slow, quick]} == {200}
