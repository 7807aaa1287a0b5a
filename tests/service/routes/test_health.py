"""Whether the service is alive, and ready."""

from __future__ import annotations

import threading

from melanoscope.service.settings import Settings

from ..conftest import eventually, is_problem, served
from ..pretend import Pretended, pretended_bundle


def test_ready_once_a_photograph_has_been_answered(tmp_path):
    predictor = Pretended(pretended_bundle(tmp_path))
    predictor.go_on.clear()
    timer = threading.Timer(0.4, predictor.go_on.set)
    timer.start()
    with served(predictor, Settings(workers=1)) as service:
        assert service.client.get("/readyz").json() == {"status": "ready"}
        assert predictor.batches == [1]
        assert service.metric(
            'melanoscope_requests_total{method="GET",route="/readyz",status="503"}'
        )
        assert service.client.get("/healthz").json() == {"status": "alive"}


def test_never_ready_where_the_network_cannot_answer(tmp_path):
    predictor = Pretended(pretended_bundle(tmp_path))
    predictor.fail = True
    with served(predictor, Settings(workers=1), wait=False) as service:
        eventually(lambda: not service.metric("melanoscope_ready") and predictor.batches == [1])
        is_problem(service.client.get("/readyz"), 503, "not-ready")
        assert service.client.get("/healthz").status_code == 200
