"""The page: its files, their types, and how long they are kept."""

from __future__ import annotations

import gzip

from ..conftest import Service, is_problem


def test_no_page(service: Service):
    response = service.client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "not built" in response.text


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
