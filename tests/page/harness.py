"""A bare page with the device's engine in a real Chromium, and the service that it comes from."""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from melanoscope.inference.predictor import Predictor

WEB = Path(__file__).parents[2] / "web"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Missing(Exception):
    """What a browser test takes is not on this machine; the text says what."""


def node() -> str:
    """Return node's path, where it and the page's tools are installed."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if found is None:
        raise Missing("no node: make page")
    if not (WEB / "node_modules" / "vite").is_dir():
        raise Missing("the page's tools are not installed: make page")
    return found


def build(folder: Path, mode: str = "production") -> None:
    """Build the page into a folder, or in the mode "harness" a bare one for tests of its engine."""
    vite = [node(), "node_modules/vite/bin/vite.js"]
    build = ["build", "--mode", mode, "--outDir", str(folder), "--emptyOutDir"]
    subprocess.run([*vite, *build], cwd=WEB, check=True, capture_output=True)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Missing("no playwright") from None
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise Missing("no chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Service:
    """A service that can be stopped, and started anew at the same address."""

    predictor: Predictor
    page: Path
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Serve until stopped."""
        import uvicorn

        from melanoscope.service.app import create_app
        from melanoscope.service.settings import Settings

        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        app = create_app(self.predictor, Settings(), self.page)
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.02)

    def stop(self) -> None:
        """Close all connections and the address."""
        self._server.should_exit = True
        self._thread.join(20)


@contextlib.contextmanager
def opened(browser: Browser, service: Service, **options: Any) -> Iterator[Page]:
    """Open the harness as a new visitor; what fails there or is forbidden to it is an error."""
    context = browser.new_context(**options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda one: wrong.append(one.text) if "Policy" in one.text else None)
    try:
        page.goto(service.url)
        wait(page, "!!window.harness")
        yield page
        assert wrong == []
    finally:
        context.close()


def wait(page: Page, condition: str, argument: object = None, *, seconds: float = 60) -> None:
    """Wait until an expression is true. (Playwright's own waiting evaluates, which is forbidden.)

    Raises:
        TimeoutError: It stays false.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition, argument):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        page.wait_for_timeout(50)


def reload(page: Page) -> None:
    """Load the harness anew."""
    page.reload()
    wait(page, "!!window.harness")


def text(content: bytes) -> str:
    """Write bytes so that they can be handed to a page."""
    return base64.b64encode(content).decode()


def diagnose(
    page: Page, content: bytes, patient: Mapping[str, Any] | None = None, *, force: bool = True
) -> dict[str, Any]:
    """Answer a photograph on the device."""
    known = {"age": None, "sex": "unknown", "site": "unknown", **(patient or {})}
    asked = [{"content": text(content), "patient": known}, {"force": force}]
    answer: dict[str, Any] = page.evaluate("a => harness.diagnose(...a)", asked)
    return answer


def square(page: Page, content: bytes, px: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Decode a photograph on the device; its pixels, and the size of the whole."""
    found = page.evaluate("a => harness.decode(...a)", [text(content), px])
    pixels = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(px, px, 3)
    return pixels, (found["width"], found["height"])
