"""SIGTERM under load: what was received is answered; 20 times over in tests/torture."""

from __future__ import annotations

import signal
import socket
import time

import httpx

from .conftest import eventually, form, head, photograph, process, reply
from .stopping import check, stopped_under_load


def test_nothing_that_was_received_is_without_an_answer(tmp_path):
    check(stopped_under_load(tmp_path, seconds=0.7))


def test_requests_on_their_way_are_answered(tmp_path):
    """Over a connection that was idle, and over one that had just been opened."""
    body = form(photograph())
    request = head(len(body)) + body
    with process(tmp_path, last_request_seconds=1.5) as (one, url):
        eventually(lambda: httpx.get(f"{url}/readyz").is_success)
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        idle, silent, fresh = (socket.create_connection(address, timeout=10) for _ in range(3))
        idle.sendall(request)
        assert reply(idle)[0] == 200
        one.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(address))
        assert reply_of(idle, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 503
        assert reply_of(fresh, request)[0] == 200
        assert silent.recv(1) == b""  # closed, not reset
        out, _ = one.communicate(timeout=20)
    assert one.returncode == 0
    assert b"stopped" in out.splitlines()[-1]


def is_refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=0.1).close()
    except TimeoutError:  # connecting clients go unheard until the socket is closed
        return False
    except ConnectionRefusedError:
        return True
    return False


def reply_of(connection: socket.socket, request: bytes) -> tuple[int, dict]:
    connection.sendall(request)
    return reply(connection)


def test_an_answer_is_read_though_more_is_sent(serve):
    """Closing would reset the connection, and take the answer with it."""
    service = serve()
    for _ in range(20):
        with service.connect() as connection:
            start = head(None, "/v1/diagnoses", "Transfer-Encoding: chunked")
            connection.sendall(start + b"400\r\n" + b"x" * 1024 + b"\r\n")
            for _ in range(20):  # after the answer, which closes
                connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
                time.sleep(0.001)
            status, problem = reply(connection)
        assert (status, problem["status"]) == (411, 411)
