"""What is counted and logged of every request."""

from __future__ import annotations

from ..conftest import Service, eventually


def test_paths_of_clients_are_no_labels(service: Service):
    """Neither somebody's words in the metrics, nor as many counters as somebody likes."""
    for n in range(20):
        service.client.get(f"/jane-doe-{n}")
        service.client.request(f"M{n}", "/")
    text = service.client.get("/metrics").text
    assert "jane" not in text
    assert text.count('status="404"') <= 2


def test_heads(service: Service):
    got = service.client.get("/v1/bundle")
    head = service.client.head("/v1/bundle")
    assert head.status_code == 200
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.content == b""
    assert service.client.head("/nowhere").status_code == 404


def test_clients_are_logged_only_where_asked_for(serve, written):
    for asked in (False, True):
        serve(log_clients=asked).client.get("/healthz")

    def lines():
        return [one for one in written() if one.get("route") == "/healthz"]

    eventually(lambda: len(lines()) == 2)
    assert [one.get("client") for one in lines()] == [None, "127.0.0.1"]
