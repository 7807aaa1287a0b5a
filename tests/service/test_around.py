"""The bundle, the page, health, metrics, and headers of all of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import threading

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.service import logs
from melanoscope.service.app import create_app
from melanoscope.service.schemas import BundleInfo
from melanoscope.service.server import open_socket
from melanoscope.service.settings import Settings

from .conftest import Service, eventually, is_problem, photograph, served
from .pretend import CARD, GRAPH, Pretended, pretended_bundle

MODEL = hashlib.sha256(GRAPH).hexdigest()


def test_the_bundle_is_told(service: Service):
    response = service.client.get("/v1/bundle")
    told = BundleInfo.model_validate(response.json()).model_dump()
    assert told["fingerprint"] == "f" * 64
    assert told["card"] == CARD
    assert told["explains"] is True
    assert "seal" not in told["record"]
    assert told["record"]["files"]["model.onnx"]["sha256"] == MODEL
    again = {"If-None-Match": response.headers["etag"]}
    assert service.client.get("/v1/bundle", headers=again).status_code == 304


def test_graphs_are_handed_out(service: Service):
    response = service.client.get("/v1/bundle/files/model.onnx", params={"v": MODEL})
    assert response.content == GRAPH
    assert "immutable" in response.headers["cache-control"]
    again = service.client.get("/v1/bundle/files/model.onnx")
    assert again.headers["cache-control"] == "no-cache"
    assert again.headers["etag"] == f'"{MODEL}"'
    known = {"If-None-Match": f'W/"{MODEL}", "x"'}
    assert service.client.get(str(again.url), headers=known).status_code == 304
    part = service.client.get(str(again.url), headers={"Range": "bytes=2-6"})
    assert (part.status_code, part.content) == (206, b"graph")


@pytest.mark.parametrize(
    "name",
    [
        "weights.safetensors",
        "bundle.json",
        "MODEL_CARD.md",
        "model.int8.onnx",  # this bundle has none
        "..%2f..%2fsecret",
        "%2e%2e",
        "model.onnx%00",
        "<b>",
        "x" * 3000,
    ],
)
def test_other_files_are_not(service: Service, name):
    response = service.client.get(f"/v1/bundle/files/{name}")
    is_problem(response, 404)
    assert len(response.text) < 700


def test_a_graph_of_another_bundle_is_404(service: Service):
    for version in ("0" * 64, "", "<script>"):
        response = service.client.get("/v1/bundle/files/model.onnx", params={"v": version})
        is_problem(response, 404, "other-bundle")


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


def test_metrics_count(service: Service):
    service.diagnose(photograph(), age="33")
    service.diagnose(b"nothing")
    line = 'melanoscope_requests_total{method="POST",route="/v1/diagnoses",status="%d"}'
    assert service.metric(line % 200) == service.metric(line % 422) == 1
    assert service.metric('melanoscope_photographs_total{outcome="accepted"}') == 1
    assert service.metric('melanoscope_photographs_total{outcome="unreadable-photograph"}') == 1
    text = service.client.get("/metrics").text
    assert "33" not in [line.split()[-1] for line in text.splitlines()]
    assert 'fingerprint="' in text


def test_paths_of_clients_are_no_labels(service: Service):
    """Neither somebody's words in the metrics, nor as many counters as somebody likes."""
    for n in range(20):
        service.client.get(f"/jane-doe-{n}")
        service.client.request(f"M{n}", "/")
    text = service.client.get("/metrics").text
    assert "jane" not in text
    assert text.count('status="404"') <= 2


def test_no_page(service: Service):
    response = service.client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "not built" in response.text


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>melanoscope</title>")
    (folder / "sw.js").write_text("// a service worker")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets" / "main-1a2b.js").write_text("// the page")
    (folder / "assets" / "ort.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def test_the_page(serve, page):
    service = serve(page=page)
    index = service.client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["cache-control"] == "no-cache"
    for path, kind in {
        "/assets/main-1a2b.js": "text/javascript; charset=utf-8",
        "/assets/ort.wasm": "application/wasm",
        "/sw.js": "text/javascript; charset=utf-8",
        "/manifest.webmanifest": "application/manifest+json",
    }.items():
        response = service.client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (200, kind)
        assert ("immutable" in response.headers["cache-control"]) is path.startswith("/assets/")
        known = {"If-None-Match": response.headers["etag"]}
        assert service.client.get(path, headers=known).status_code == 304
    for path in ("/assets", "/assets/", "/assets/other.js", "/%2e%2e/secret.txt", "/../secret.txt"):
        is_problem(service.client.get(path), 404)


def test_what_shrinks_is_sent_small_to_whoever_reads_it(serve, page):
    whole = b"\0asm" * 100
    (page / "assets" / "ort.wasm").write_bytes(whole)
    (page / "assets" / "ort.wasm.gz").write_bytes(gzip.compress(whole))
    service = serve(page=page)
    tags = set()
    for asked, small in {"gzip, br": True, "*": True, "gzip;q=0": False, "br": False}.items():
        headers = {"Accept-Encoding": asked}
        response = service.client.get("/assets/ort.wasm", headers=headers)
        assert response.content == whole  # the client unpacks it
        assert (response.headers.get("content-encoding") == "gzip") is small
        assert response.headers["content-type"] == "application/wasm"
        assert response.headers["vary"] == "Accept-Encoding"
        tags.add((small, response.headers["etag"]))
    assert len(tags) == 2
    part = {"Accept-Encoding": "gzip", "Range": "bytes=0-3"}
    assert service.client.get("/assets/ort.wasm", headers=part).content == whole[:4]
    is_problem(service.client.get("/assets/ort.wasm.gz"), 404)


def test_headers_that_browsers_obey(serve, page):
    service = serve(page=page)
    policy = service.client.get("/").headers["content-security-policy"]
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert parts["worker-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["img-src"] == "'self' blob: data:"
    assert parts["frame-ancestors"] == "'none'"
    assert not {"*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"} & set(policy.split())
    for path in ("/", "/assets/ort.wasm", "/healthz", "/nowhere", "/v1/diagnoses", "/openapi.json"):
        headers = service.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-embedder-policy"] == "require-corp"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["content-security-policy"]
        assert headers["cache-control"]
        assert "server" not in headers


def test_heads(service: Service):
    got = service.client.get("/v1/bundle")
    head = service.client.head("/v1/bundle")
    assert head.status_code == 200
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.content == b""
    assert service.client.head("/nowhere").status_code == 404


@pytest.mark.parametrize("limit", ["queue", "workers", "request_bytes", "answer_seconds"])
def test_limits_are_above_0(limit):
    for value in (0, -1, float("nan")):
        with pytest.raises(MelanoscopeError, match="above 0"):
            Settings(**{limit: value})


def test_an_address_that_is_taken_is_one_line():
    with open_socket("127.0.0.1", 0) as taken:
        for host, port in (("127.0.0.1", taken.getsockname()[1]), ("256.1.1.1", 80)):
            with pytest.raises(MelanoscopeError, match="another --host or --port"):
                open_socket(host, port)
    with pytest.raises(MelanoscopeError, match="a port from 0 to 65535"):
        open_socket("127.0.0.1", 99999)


@pytest.fixture
def written():
    """Whatever is logged, as it would be written."""
    stream, before = io.StringIO(), {}
    for name in ("", "uvicorn", "uvicorn.error", "melanoscope.service", *logs._SILENCED):
        logger = logging.getLogger(name)
        before[logger] = (logger.level, logger.handlers[:], logger.propagate)
    logs.configure_logging(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    for logger, (level, handlers, propagate) in before.items():
        logger.setLevel(level)
        logger.handlers[:], logger.propagate = handlers, propagate


def test_exceptions_are_logged_without_what_they_say(service: Service, written):
    service.predictor.fail = True
    service.diagnose(photograph(), age="67", site="palms/soles")
    eventually(lambda: len(written()) >= 2)
    mistake = next(line for line in written() if line["event"] == "mistake")
    assert mistake["exception"] == "RuntimeError"
    assert any("pretend.py" in place for place in mistake["at"])
    assert "67" not in json.dumps(mistake["at"])
    assert "palms" not in json.dumps(written())


def test_what_libraries_say_is_not_repeated(written):
    logging.getLogger("python_multipart.multipart").error("Jane Doe")
    logging.getLogger("PIL.Image").error("Jane Doe")
    logging.getLogger("some.library").error("Jane Doe")
    try:
        raise ValueError("Jane Doe")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert "Jane" not in json.dumps(written())
    assert len(written()) == 2


def test_clients_are_logged_only_where_asked_for(serve, written):
    for asked in (False, True):
        serve(log_clients=asked).client.get("/healthz")

    def lines():
        return [one for one in written() if one.get("route") == "/healthz"]

    eventually(lambda: len(lines()) == 2)
    assert [one.get("client") for one in lines()] == [None, "127.0.0.1"]


def test_building_the_service_needs_no_loop(tmp_path):
    predictor = Pretended(pretended_bundle(tmp_path))
    assert create_app(predictor, Settings(), None).title == "melanoscope"


def test_terms_are_a_link_away_from_whatever_derives_from_the_photographs(service: Service):
    for response in (
        service.diagnose(photograph()),
        service.explain(photograph(), accept="image/png"),
        service.client.get("/v1/bundle/files/model.onnx"),
    ):
        target = response.links["license"]["url"]
        assert response.url.join(target).path == "/v1/bundle"
