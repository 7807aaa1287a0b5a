"""Clients that are slow, cut off, endless or talk something else, over raw sockets."""

from __future__ import annotations

import json
import time

import pytest

from ..conftest import Service, eventually, form, head, is_problem, photograph, reply

BODY = form(photograph(), {"age": "45"})


def is_answered(service: Service) -> bool:
    return service.diagnose(photograph()).status_code == 200


def hung_up(connection, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_form_in_single_bytes(service: Service):
    with service.connect() as connection:
        connection.sendall(head(len(BODY)))
        for place in range(300):
            connection.send(BODY[place : place + 1])
        connection.sendall(BODY[300:])
        status, answer = reply(connection)
    assert (status, answer["person"]["age"]) == (200, 45.0)


@pytest.mark.parametrize("more", [(), ("Content-Length: 30",)])
def test_a_body_in_chunks_is_411(service: Service, more):
    """A byte a chunk costs the parser a second for each 100 KB; with a length it may be two."""
    with service.connect() as connection:
        connection.sendall(head(None, "/v1/diagnoses", "Transfer-Encoding: chunked", *more))
        connection.sendall(b"1\r\nx\r\n" * 1000)
        status, problem = reply(connection)
        assert (status, problem["type"]) == (411, "urn:melanoscope:problem:length-required")
        assert hung_up(connection, 2)
    assert is_answered(service)


def test_a_slow_body_is_408(serve):
    service = serve(idle_seconds=0.3)
    with service.connect() as connection:
        connection.sendall(head(len(BODY)) + BODY[:100])
        assert is_answered(service)
        status, problem = reply(connection)
        assert (status, problem["type"]) == (408, "urn:melanoscope:problem:slow-upload")
        assert hung_up(connection, 2)


def test_a_body_in_drops_is_408(serve):
    """Never idle, and never done."""
    service = serve(idle_seconds=0.5, upload_seconds=0.6)
    with service.connect() as connection:
        connection.sendall(head(len(BODY)))
        started = time.monotonic()
        for place in range(9):
            connection.send(BODY[place : place + 1])
            time.sleep(0.1)
        assert reply(connection)[0] == 408
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("start", [b"", b"POST /v1/diagnoses HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_head_that_never_ends_is_hung_up_on(serve, start):
    service = serve(idle_seconds=0.3)
    with service.connect() as connection:
        connection.sendall(start)
        assert is_answered(service)
        assert hung_up(connection, 3)


def test_a_head_in_drops_is_hung_up_on(serve):
    service = serve(idle_seconds=0.3)
    with service.connect() as connection:
        connection.sendall(b"POST /v1/diagnoses HTTP/1.1\r\n")
        with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - one of many sends
            for _ in range(40):
                connection.send(b"X: y\r\n")
                time.sleep(0.05)


def test_a_client_that_does_not_read_is_hung_up_on(serve, tmp_path):
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_bytes(b" " * 20_000_000)
    service = serve(idle_seconds=0.4, page=page)
    with service.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(1.2)
        assert is_answered(service)
        received = 0
        try:
            while piece := connection.recv(1 << 20):
                received += len(piece)
        except ConnectionResetError:
            pass
    assert received < 20_000_000


def test_stated_to_be_too_large(serve):
    service = serve(request_bytes=10_000)
    with service.connect() as connection:
        connection.sendall(head(10_001, "/v1/diagnoses", "Expect: 100-continue"))
        status, problem = reply(connection)  # and no 100 Continue before it
    assert (status, problem["most_bytes"]) == (413, 10_000)


def test_an_endless_body_is_hung_up_on(serve):
    """The answer has been given; who goes on sending is not listened to for ever."""
    service = serve(request_bytes=10_000, idle_seconds=0.4)
    with service.connect() as connection:
        connection.sendall(head(1_000_000_000))
        with pytest.raises(ConnectionError):  # noqa: PT012 - one of many sends
            for _ in range(200):
                connection.sendall(b"x" * 4096)
                time.sleep(0.02)


@pytest.mark.parametrize(("part", "status"), [("bytes=abc", 400), ("bytes=99999999-", 416)])
def test_what_libraries_refuse_is_a_problem_too(service: Service, part, status):
    response = service.client.get("/v1/bundle/files/model.onnx", headers={"Range": part})
    is_problem(response, status)
    assert ("content-range" in response.headers) is (status == 416)


def test_the_next_request_of_a_connection_is_answered_after_a_problem(serve):
    service = serve(request_bytes=10_000)
    with service.connect() as connection:
        large = form(b"x" * 12_000)
        connection.sendall(head(len(large)) + large)
        assert reply(connection)[0] == 413
        connection.sendall(head(len(BODY)) + BODY)
        assert reply(connection)[0] == 200


def test_a_client_that_hangs_up_while_sending(service: Service):
    with service.connect() as connection:
        connection.sendall(head(len(BODY)) + BODY[:500])
    eventually(lambda: service.metric('melanoscope_photographs_total{outcome="gone"}') == 1)
    assert is_answered(service)
    assert service.predictor.batches[1:] == [1]


def test_what_is_no_http_gets_a_problem(service: Service):
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9\r\n\r\n", b"A" * 70_000):
        with service.connect() as connection:
            connection.sendall(nonsense + b"\r\n\r\n")
            response = connection.recv(65536)
        top, _, body = response.partition(b"\r\n\r\n")
        assert b" 400 " in top
        assert b"application/problem+json" in top
        assert json.loads(body)["status"] == 400
    assert is_answered(service)


BUSY = (503, "urn:melanoscope:problem:busy")


def test_too_many_connections(serve):
    service = serve(connections=3, reserved_connections=1)
    held = [service.connect() for _ in range(2)]
    eventually(lambda: service.metric("melanoscope_ready") == 1)
    for path in ("/healthz", "/readyz"):  # which are answered, and once a connection
        with service.connect() as one_more:
            one_more.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert reply(one_more)[0] == 200
            assert hung_up(one_more, 1)
    with service.connect() as one_more:
        one_more.sendall(head(1_000_000))  # before the photograph has been sent
        status, problem = reply(one_more)
        assert (status, problem["type"]) == BUSY
        assert hung_up(one_more, 1)
    eventually(lambda: service.metric("melanoscope_ready") == 1)
    with service.connect() as silent, service.connect() as beyond:
        status, problem = reply(beyond)
        assert (status, problem["type"]) == BUSY
        assert hung_up(silent, 2)  # it may not keep what is reserved
    for one in held:
        one.close()
    eventually(lambda: is_answered(service))
