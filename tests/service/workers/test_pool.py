"""What the threads leave behind."""

from __future__ import annotations

import gc

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
