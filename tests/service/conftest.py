"""A service on a socket of this machine, with a predictor that tests can hold up."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

from melanoscope.service import logs
from melanoscope.service.app import create_app
from melanoscope.service.server import open_socket, url_of, uvicorn_config
from melanoscope.service.settings import Settings

from .pretend import Pretended, pretended_bundle

ROOT = Path(__file__).parents[2]
BOUNDARY = "a-boundary"


@dataclass
class Service:
    """A service that runs in this process."""

    url: str
    predictor: Pretended
    client: httpx.Client

    def diagnose(self, photograph: bytes, client=None, **fields) -> httpx.Response:
        return self._post("diagnoses", photograph, client, fields, {})

    def explain(
        self, photograph: bytes, client=None, accept="application/json", **fields
    ) -> httpx.Response:
        return self._post("explanations", photograph, client, fields, {"Accept": accept})

    def _post(self, what, photograph, client, fields, headers):
        return (client or self.client).post(
            f"/v1/{what}", files={"photograph": ("p", photograph)}, data=fields, headers=headers
        )

    def connect(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def metric(self, line: str) -> float:
        for found in self.client.get("/metrics").text.splitlines():
            if found.startswith(line + " "):
                return float(found.split()[-1])
        return 0.0


@contextlib.contextmanager
def served(
    predictor: Pretended, settings: Settings, page: Path | None = None, *, wait: bool = True
) -> Iterator[Service]:
    server = uvicorn.Server(uvicorn_config(create_app(predictor, settings, page), settings))
    with contextlib.closing(open_socket("127.0.0.1", 0)) as listener:
        url = url_of(listener)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=url, timeout=30) as client:
                eventually(lambda: client.get("/readyz" if wait else "/healthz").is_success)
                yield Service(url, predictor, client)
        finally:
            predictor.go_on.set()
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


Serve = Callable[..., Service]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a service: settings by name, `delay` and `explains` for the predictor."""
    with contextlib.ExitStack() as stack:

        def start(*, delay=0.0, explains=True, page=None, **limits) -> Service:
            bundle = pretended_bundle(tmp_path / "bundle", explains=explains)
            settings = Settings(**{"workers": 2, **limits})
            return stack.enter_context(served(Pretended(bundle, delay), settings, page))

        yield start


@pytest.fixture
def service(serve: Serve) -> Service:
    return serve()


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


def process(folder: Path, **how):
    """Run `tests.service.pretend` as a process of its own; yields it and its address."""
    return running("-m", "tests.service.pretend", str(folder), json.dumps(how))


@contextlib.contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run Python with these words; yields the process and the address that it logs first."""
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as one:
        try:
            yield one, json.loads(one.stdout.readline())["address"]
        finally:
            one.kill()


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def photograph(side: int = 96, kind: str = "JPEG", seed: int = 0, **options) -> bytes:
    """Draw a lesion on skin."""
    away = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
    drawn = np.where(away[..., None] < 0.4, (120, 70, 50), (220, 180, 160))
    noise = np.random.default_rng(seed).normal(0, 4, drawn.shape)
    file = io.BytesIO()
    Image.fromarray((drawn + noise).clip(0, 255).astype(np.uint8)).save(file, kind, **options)
    return file.getvalue()


def dark(side: int = 96) -> bytes:
    """Draw what the gate refuses."""
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), 3, np.uint8)).save(file, "PNG")
    return file.getvalue()


def flat_png(width: int, height: int) -> bytes:
    """Write a black PNG of any size in few bytes: 30,000 x 30,000 pixels take some 110 KB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(9)
    row = b"\0" * (width // 8 + 1 + (width % 8 > 0))
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def form(
    photo: bytes, fields: dict[str, str] | None = None, disposition: str | None = None
) -> bytes:
    """Write a form by hand, as no well-behaved client would."""
    named = disposition or 'form-data; name="photograph"; filename="p.jpg"'
    parts = [f"--{BOUNDARY}\r\nContent-Disposition: {named}\r\n\r\n".encode() + photo + b"\r\n"]
    for name, value in (fields or {}).items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts.append(head.encode() + value.encode() + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def head(length: int | None, path: str = "/v1/diagnoses", *more: str) -> bytes:
    """Write a request's head by hand."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Content-Type: multipart/form-data; boundary={BOUNDARY}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def reply(connection: socket.socket) -> tuple[int, dict]:
    """Read a response to its end: status and JSON."""
    response = b""
    while b"\r\n\r\n" not in response:
        piece = connection.recv(65536)
        assert piece, "hung up without an answer"
        response += piece
    top, _, body = response.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in top.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return int(top.split()[1]), json.loads(body)


def is_problem(response: httpx.Response, status: int, kind: str | None = None) -> dict:
    """Check that a response is a problem document, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    assert not set("<>&") & set(response.text)
    if kind is not None:
        assert document["type"] == f"urn:melanoscope:problem:{kind}"
        assert document["detail"].startswith("expected ")
        assert "\n" not in document["detail"]
    return document
