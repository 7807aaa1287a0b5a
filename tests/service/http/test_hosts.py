"""A name that is not the service's, and pages that are not its own, get nothing."""

from __future__ import annotations

from itertools import product

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.service.http.hosts import AllowedHosts

from ..conftest import Service, is_problem, photograph

EVIL = "rebound.example"


PATHS = ["/", "/healthz", "/metrics", "/openapi.json", "/v1/bundle", "/nowhere"]
STRANGERS = [EVIL, f"{EVIL}:8000", "localhost.evil", "127.0.0.1.evil", "x@localhost", "a b", "::"]
OURS = ["localhost", "LOCALHOST.:80", "127.0.0.1", "[::1]:8000", "192.168.1.7:8000"]


def test_another_name_is_refused(service: Service):
    for path, host in product(PATHS, STRANGERS):
        response = service.client.get(path, headers={"Host": host})
        problem = is_problem(response, 421, "unknown-host")
        assert repr(host) in problem["found"]
    files, headers = {"photograph": photograph()}, {"Host": EVIL}
    is_problem(service.client.post("/v1/diagnoses", files=files, headers=headers), 421)
    assert service.predictor.decoded == 1  # the warm-up's


def test_own_names_are_answered(serve):
    service = serve(allowed_hosts=("skin.example",))
    for host in (*OURS, "skin.example", "skin.example:8443"):
        assert service.client.get("/healthz", headers={"Host": host}).is_success
    is_problem(service.client.get("/healthz", headers={"Host": EVIL}), 421)


def test_every_name_where_that_is_asked_for(serve):
    service = serve(allowed_hosts=("*",))
    headers = {"Host": EVIL, "Origin": f"https://{EVIL}"}
    assert service.client.get("/healthz", headers=headers).is_success
    files = {"photograph": photograph()}
    assert service.client.post("/v1/diagnoses", files=files, headers=headers).is_success


def test_pages_of_others_may_not_send(serve):
    """Browsers let them: a form needs no leave. A page of another port is another page, too."""
    service = serve(allowed_hosts=("skin.example",))
    path, files = "/v1/explanations", {"photograph": photograph()}
    own = service.url.removeprefix("http://")
    for origin in (f"https://{EVIL}", "null", "http://127.0.0.1:1", "http://[", "localhost"):
        response = service.client.post(path, files=files, headers={"Origin": origin})
        is_problem(response, 403, "foreign-origin")
    for origin in (f"http://{own}", "https://skin.example", "https://skin.example:8443"):
        assert service.client.post(path, files=files, headers={"Origin": origin}).is_success
    # To look is no harm: without CORS, nobody else's page can read it.
    assert service.client.get("/v1/bundle", headers={"Origin": f"https://{EVIL}"}).is_success


@pytest.mark.parametrize("name", ["", "  ", "http://skin.example", "skin.example:80", "a/b", "a b"])
def test_what_is_no_name(name):
    with pytest.raises(MelanoscopeError, match="without scheme and port"):
        AllowedHosts([name])
