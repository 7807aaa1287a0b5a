"""What the threads leave behind."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.datastructures import UploadFile

from melanoscope.imaging.decode import DecodedImage
from melanoscope.service.http.problems import Problem
from melanoscope.service.workers.queue import Job
from melanoscope.service.workers.tasks import TaskResult

from ..conftest import dark, eventually, is_problem, photograph


@pytest.fixture
def remaining():
    """Count what holds a photograph, its answer or their frames, while nothing collects cycles."""
    gc.collect()
    kinds = (UploadFile, Job, DecodedImage, TaskResult, Problem)

    def found() -> list[object]:
        # `isinstance` would ask lazy modules for their class.
        return [one for one in gc.get_objects() if issubclass(type(one), kinds)]

    before = {id(one) for one in found()}
    gc.disable()
    yield lambda: sum(id(one) not in before for one in found())
    gc.enable()


def test_no_photograph_outlives_its_answer(serve, remaining):
    service = serve(answer_seconds=1.0)
    is_problem(service.diagnose(b"nothing"), 422)
    is_problem(service.diagnose(photograph(), site="nowhere"), 422)
    is_problem(service.explain(dark()), 422)
    assert service.diagnose(photograph()).is_success
    for media in ("application/json", "image/png"):
        assert service.explain(photograph(), accept=media, method="gradients").is_success
    service.predictor.fail = True
    is_problem(service.diagnose(photograph()), 500)
    service.predictor.go_on.clear()
    is_problem(service.diagnose(photograph()), 504)
    service.predictor.go_on.set()
    eventually(lambda: remaining() == 0)


@pytest.mark.parametrize("explains", [False, True])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_worker_that_dies_is_replaced(serve, written, explains, error):
    """Its request is told so, and the next one, which waits behind it, is answered."""
    service = serve(workers=1, batch=1)
    service.predictor.go_on.clear()
    ask = service.explain if explains else service.diagnose
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, photograph(), age="67.125")
        eventually(lambda: service.metric("melanoscope_running_requests") == 1)
        second = pool.submit(ask, photograph())
        eventually(lambda: service.metric("melanoscope_queue_requests") == 1)
        service.predictor.die = error
        service.predictor.go_on.set()
        is_problem(first.result(), 500, "internal")
        assert second.result().status_code == 200
    assert service.metric("melanoscope_dead_workers_total") == 1
    assert service.metric("melanoscope_running_requests") == 0
    died = [line for line in written() if line["event"] == "a worker died"]
    assert [line["exception"] for line in died] == [type(error).__name__]
    assert "67.125" not in str(died)


def test_memory_that_does_not_suffice_is_an_answer(service):
    service.predictor.die = MemoryError()
    is_problem(service.diagnose(photograph()), 500, "internal")
    assert service.diagnose(photograph()).status_code == 200
    assert service.metric("melanoscope_dead_workers_total") == 0
