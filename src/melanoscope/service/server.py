"""A service on a socket: it runs until it is stopped, and finishes what it has accepted."""

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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from melanoscope.errors import MelanoscopeError
from melanoscope.service.app import create_app
from melanoscope.service.http.backlog import accept_waiting
from melanoscope.service.http.connection import limited_connection
from melanoscope.service.logs import LOGGER, configure_logging
from melanoscope.service.workers.pool import THREAD_PREFIX

if TYPE_CHECKING:
    from fastapi import FastAPI

    from melanoscope.inference.predictor import Predictor
    from melanoscope.service.settings import Settings

PAGE = Path(__file__).parent / "page"
"""Folder of the built page."""

_MAX_PORT = 65535

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
    on_listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and return.

    What takes longer than `settings.drain_seconds` is not waited for; then the process ends here.

    Args:
        predictor: Predictor of the bundle.
        settings: Limits.
        host: Address to listen at.
        port: Port to listen at; 0 for any that is free.
        page: Folder of the built page; None for the API alone.
        on_listening: Called with the URL of the service once it listens.

    Raises:
        MelanoscopeError: The address cannot be listened at.
    """
    configure_logging()
    sys.setswitchinterval(_SWITCH_SECONDS)
    _return_memory_early()
    settings = replace(settings, allowed_hosts=(*settings.allowed_hosts, host))
    config = uvicorn_config(create_app(predictor, settings, page), settings)
    with contextlib.closing(open_socket(host, port)) as listener:
        address = url_of(listener)
        LOGGER.info("listening", extra={"data": {"address": address}})
        on_listening(address)
        _Server(config).run(sockets=[listener])
    LOGGER.info("stopped")
    _exit_if_workers_run()


def uvicorn_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn is to serve `app` under the limits of `settings`."""
    return uvicorn.Config(
        app,
        http=limited_connection(settings),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # A proxy's word for its client matters only where addresses are logged.
        proxy_headers=settings.log_clients,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port` (0 for any that is free)."""
    if not 0 <= port <= _MAX_PORT:
        raise MelanoscopeError(f"a port from 0 to {_MAX_PORT}", f"{port}", "choose another --port")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        # A service that was stopped a moment ago may be started again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
        raise MelanoscopeError(
            f"an address that can be listened at, {host[:80]}:{port}",
            getattr(error, "strerror", None) or type(error).__name__,
            "choose another --host or --port",
        ) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address of `listener` as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(host: str) -> bool:
    """Return whether only this machine reaches the address `host`.

    >>> is_local("127.0.0.1"), is_local("0.0.0.0"), is_local("localhost")
    (True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _return_memory_early() -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


def _exit_if_workers_run() -> None:
    """End the process at once where a worker is still at something that nobody waits for.

    Python would unload its libraries under the worker, and the process would end with an abort.
    """
    if any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate()):
        logging.shutdown()
        os._exit(0)


class _Server(uvicorn.Server):
    """Ends with status 0 when it is told to stop; uvicorn's would die of the signal.

    Nothing that was received before is left without an answer.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that the service is not ready, accept who waits at `sockets`, and finish."""
        self.config.app.state.readiness.is_stopping = True  # type: ignore[union-attr]
        await accept_waiting(sockets or [])
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on SIGTERM and Ctrl-C; on a second Ctrl-C at once."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
