"""SIGTERM under load: what was received is answered; 20 times over in tests/torture."""

from __future__ import annotations

import socket
import time

from .conftest import eventually, form, head, photograph, reply
from .stopping import check, stopped_under_load


def test_nothing_that_was_received_is_without_an_answer(tmp_path):
    """Nor what is on its way: over a connection that was idle, and over one just opened."""
    body = form(photograph())
    request = head(len(body)) + body

    def prepare(port: int):
        address = ("127.0.0.1", port)
        idle, silent, fresh = (socket.create_connection(address, timeout=10) for _ in range(3))
        assert reply_of(idle, request)[0] == 200

        def after_the_signal() -> None:
            eventually(lambda: is_refused(address))
            assert reply_of(idle, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 503
            assert reply_of(fresh, request)[0] == 200
            assert silent.recv(1) == b""  # closed, not reset

        return after_the_signal

    check(stopped_under_load(tmp_path, 0.7, prepare, last_request_seconds=1.5))


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
    for _ in range(10):
        with service.connect() as connection:
            start = head(None, "/v1/diagnoses", "Transfer-Encoding: chunked")
            connection.sendall(start + b"400\r\n" + b"x" * 1024 + b"\r\n")
            for _ in range(20):  # after the answer, which closes
                connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
                time.sleep(0.001)
            status, problem = reply(connection)
        assert (status, problem["status"]) == (411, 411)
