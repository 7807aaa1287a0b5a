"""A service on a socket, until it is told to stop; then it finishes what it took."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from melanoscope.errors import MelanoscopeError
from melanoscope.service.app import create_app
from melanoscope.service.http.connection import bound
from melanoscope.service.logs import LOGGER, configure
from melanoscope.service.workers.pool import WORKER

if TYPE_CHECKING:
    from fastapi import FastAPI

    from melanoscope.inference.predictor import Predictor
    from melanoscope.service.settings import Settings

PAGE = Path(__file__).parent / "page"
"""Where the built page lies."""

MOST_PORT = 65535

# glibc keeps what threads give back; pieces above this size go back to the system at once. Without
# it a few photographs of 60 megapixels leave gigabytes behind.
_M_MMAP_THRESHOLD, _MMAP_BYTES = -3, 4_000_000

# A worker in pure Python gives way this soon, so that the loop is not kept from its clients.
_SWITCH_SECONDS = 0.001


def run(
    predictor: Predictor,
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    page: Path | None = PAGE,
    listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was taken and return.

    What takes longer than `drain_seconds` is not waited for; then the process ends here.

    Args:
        predictor: Who answers.
        settings: Limits.
        host: Address to listen at.
        port: Likewise; 0 for any that is free.
        page: Folder of the built page.
        listening: Told the service's address once it listens.

    Raises:
        MelanoscopeError: The address cannot be listened at.
    """
    configure()
    sys.setswitchinterval(_SWITCH_SECONDS)
    _give_memory_back()
    config = configuration(create_app(predictor, settings, page), settings)
    with contextlib.closing(listen(host, port)) as one:
        address = address_of(one)
        LOGGER.info("listening", extra={"data": {"address": address}})
        listening(address)
        _Server(config).run(sockets=[one])
    LOGGER.info("stopped")
    _leave_nobody_behind()


def _give_memory_back() -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


def _leave_nobody_behind() -> None:
    """End the process at once where a worker is still at something that nobody waits for.

    Python would take its library away from under it, and the process would end with an abort.
    """
    if any(one.name.startswith(WORKER) for one in threading.enumerate()):
        logging.shutdown()
        os._exit(0)


def configuration(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Say how uvicorn is to serve."""
    return uvicorn.Config(
        app,
        http=bound(settings),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Only whoever logs addresses needs to know whom a proxy speaks for.
        proxy_headers=settings.log_clients,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )


def listen(host: str, port: int) -> socket.socket:
    """Open a socket.

    Raises:
        MelanoscopeError: The address cannot be listened at.
    """
    if not 0 <= port <= MOST_PORT:
        raise MelanoscopeError(f"a port from 0 to {MOST_PORT}", f"{port}", "choose another --port")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        one = socket.socket(family, kind, proto)
        # A service that was stopped a moment ago may be started again.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(address)
        one.listen(socket.SOMAXCONN)
    except OSError as error:
        raise MelanoscopeError(
            f"an address that can be listened at, {host}:{port}",
            error.strerror or type(error).__name__,
            "choose another --host or --port",
        ) from None
    one.setblocking(False)
    return one


def address_of(one: socket.socket) -> str:
    """Return a socket's address as a URL."""
    host, port = one.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(host: str) -> bool:
    """Say whether only this machine reaches an address.

    >>> is_local("127.0.0.1"), is_local("0.0.0.0"), is_local("localhost")
    (True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Ends with status 0 when it is told to stop; uvicorn's would die of the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on SIGTERM and Ctrl-C; on a second Ctrl-C at once."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {one: signal.signal(one, self.handle_exit) for one in signals}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
