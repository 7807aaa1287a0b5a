"""What every response says."""

from __future__ import annotations

from ..conftest import Service, photograph


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


def test_terms_are_a_link_away_from_whatever_derives_from_the_photographs(service: Service):
    for response in (
        service.diagnose(photograph()),
        service.explain(photograph(), accept="image/png"),
        service.client.get("/v1/bundle/files/model.onnx"),
    ):
        target = response.links["license"]["url"]
        assert response.url.join(target).path == "/v1/bundle"
