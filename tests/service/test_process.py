"""The service as a process: started, stopped, and stopped while it works."""

from __future__ import annotations

import json
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .conftest import eventually, form, head, photograph, process, reply, running


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_taken_is_finished(tmp_path, how):
    """One is answered, one waits, one has half arrived: all are answered, then status 0."""
    settings = {"workers": 1, "batch": 1}
    with process(tmp_path, delay=0.7, settings=settings) as (one, url):
        with httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(4) as pool:
            eventually(lambda: client.get("/readyz").status_code == 200)
            files = {"photograph": photograph()}
            asked = [pool.submit(client.post, "/v1/diagnoses", files=files) for _ in range(2)]
            connection = connect(url)
            body = form(photograph())
            connection.sendall(head(len(body)) + body[:800])
            waits = "melanoscope_queue_requests 1.0"
            eventually(lambda: waits in client.get("/metrics").text)
            one.send_signal(how)
            time.sleep(0.2)
            connection.sendall(body[800:])
            assert [each.result().status_code for each in asked] == [200, 200]
            assert reply(connection)[0] == 200
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{url}/healthz")
        out, err = one.communicate(timeout=20)
    assert one.returncode == 0
    assert err == b""
    assert json.loads(out.splitlines()[-1])["event"] == "stopped"


def test_an_idle_service_stops_at_once(tmp_path):
    with process(tmp_path) as (one, url), httpx.Client(base_url=url) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        started = time.monotonic()
        one.terminate()  # though this client keeps its connection
        assert one.wait(10) == 0
    assert time.monotonic() - started < 3


def test_it_does_not_wait_for_ever(tmp_path):
    settings = {"drain_seconds": 1, "workers": 1}
    with process(tmp_path, delay=4.0, settings=settings) as (one, url):
        connection = connect(url)
        body = form(photograph())
        connection.sendall(head(len(body)) + body)
        eventually(lambda: "running_requests 1.0" in httpx.get(f"{url}/metrics").text)
        started = time.monotonic()
        one.terminate()
        assert one.wait(20) == 0
    assert time.monotonic() - started < 5


def test_who_is_cut_off_is_told(tmp_path):
    """An upload that is not done when time is up; and the time is spent once."""
    settings = {"drain_seconds": 1, "workers": 1}
    with process(tmp_path, settings=settings) as (one, url):
        connection = connect(url)
        connection.sendall(head(10_000))
        eventually(lambda: httpx.get(f"{url}/readyz").is_success)
        one.terminate()
        status, problem = reply(connection)
        assert (status, problem["type"]) == (503, "urn:melanoscope:problem:not-ready")
        assert one.wait(5) == 0


SERVE = """
import sys
from pathlib import Path
from melanoscope.cli.serve import serve
serve(Path(sys.argv[1]), port=0, workers=2)
forbidden = {"torch", "scipy", "polars", "onnx", "matplotlib"} & set(sys.modules)
forbidden |= {name for name in sys.modules if name.startswith(
    ("melanoscope.export", "melanoscope.stats", "melanoscope.report", "melanoscope.models"))}
# A bundle's record holds intervals; their module needs the standard library alone.
interval = "melanoscope.stats.intervals.interval"
forbidden -= {interval, interval.rpartition(".")[0], "melanoscope.stats"}
print("imported", sorted(forbidden))
"""


def test_a_real_bundle(small_bundle, simulated_photograph):
    """The answers of the API are those of the Python API."""
    import melanoscope

    content = simulated_photograph.read_bytes()
    person = {"age": 45, "sex": "female", "site": "torso"}
    predictor = melanoscope.load(small_bundle, threads=1)
    expected = predictor.diagnose(content, **person, force=True).to_dict()
    with running("-c", SERVE, str(small_bundle)) as (one, url):
        with httpx.Client(base_url=url, timeout=60) as client:
            eventually(lambda: client.get("/readyz").status_code == 200, 60)
            files, data = {"photograph": content}, {**person, "force": "true"}
            answer = client.post("/v1/diagnoses", files=files, data=data).json()
            told = client.get("/v1/bundle").json()
            assert answer.pop("bundle") == told["fingerprint"] == predictor.bundle.fingerprint
            assert close(answer, expected)
            for method in ("evidence", "gradients")[: 1 + told["explains"]]:
                data |= {"method": method}
                found = client.post("/v1/explanations", files=files, data=data).json()
                total = sum(map(sum, found["values"]))
                assert total == pytest.approx(found["difference"], rel=0.05, abs=0.02)
            sha256 = told["record"]["files"]["model.onnx"]["sha256"]
            graph = client.get("/v1/bundle/files/model.onnx", params={"v": sha256}).content
            assert graph == (small_bundle / "model.onnx").read_bytes()
        one.terminate()
        out, err = one.communicate(timeout=20)
    assert one.returncode == 0
    assert b"imported []" in out
    assert err.decode().startswith(f"melanoscope: {url}")


def close(a, b) -> bool:
    """Compare nested values; a batch of another size may round otherwise."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float):
        return a == pytest.approx(b, rel=1e-3, abs=1e-5)
    return a == b


def connect(url: str):
    import socket

    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def test_without_the_extra_it_is_one_line(tmp_path, monkeypatch):
    from pathlib import Path

    from melanoscope.cli.serve import serve
    from melanoscope.errors import MelanoscopeError

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "melanoscope.service.server", raising=False)
    with pytest.raises(MelanoscopeError, match=r"melanoscope\[serve\]"):
        serve(Path(tmp_path))
