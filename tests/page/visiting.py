"""The page as a new visitor opens it, and the ways to each of its states."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.inference.quality.issues import ADVICE, KINDS, QualityIssue

from .golden_pictures import lesion

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from melanoscope.inference.result import Diagnosis

SIZES = {"phone": (360, 800), "tablet": (768, 1024), "desktop": (1280, 900)}
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@dataclass
class Visit:
    """A page, opened as a new visitor, and where it went."""

    page: Page
    asked: list[str]

    def choose(self, content: bytes, name: str = "spot.png", kind: str = "image/png") -> None:
        """Choose a photograph and wait until it is there."""
        file = {"name": name, "mimeType": kind, "buffer": content}
        self.page.set_input_files("#file", file)  # type: ignore[arg-type]
        self.page.wait_for_selector("#preview:not([hidden])")

    def ask(self, place: str = "server") -> None:
        """Ask, and wait for an answer or a problem."""
        self.page.check(f"input[name=where][value={place}]")
        self.page.click("#submit")
        self.page.wait_for_selector("#answer-heading, #problem-heading")

    def answers(self, record: dict[str, Any]) -> None:
        """Have the server answer so from now on."""
        self.page.unroute("**/v1/diagnoses")
        self.page.route("**/v1/diagnoses", lambda route: route.fulfill(json=record))

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(width))


@contextlib.contextmanager
def visited(browser: Browser, url: str, size: str = "desktop", **options: Any) -> Iterator[Visit]:
    """Open the page; what fails there, is forbidden to it, or leaves its origin is an error."""
    width, height = SIZES[size]
    options = {"service_workers": "block", **options}
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.add_init_script(WATCH)
    page = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    context.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(url)
        page.wait_for_selector("#asking:not([hidden])")
        yield Visit(page, asked)
        assert page.evaluate("window.violations") == []
        assert wrong == []
        assert [one for one in asked if not one.startswith((url, f"blob:{url}"))] == []
    finally:
        context.close()


@cache
def spot(side: int = 0) -> bytes:
    """Draw a lesion as PNG."""
    image = Image.fromarray(lesion(1))
    if side:
        image = image.crop((0, 0, 160, 160)).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def accepted(answer: Diagnosis, bundle: str, *, positive: bool) -> dict[str, Any]:
    """Make an answer one without any doubt."""
    record = answer.to_dict() | {"status": "accepted", "concerns": [], "forced": False}
    record["decisions"] = [one | {"positive": positive} for one in record["decisions"]]
    record["probability"] = 0.21 if positive else 0.003
    return record | {"bundle": bundle}


def doubted(record: dict[str, Any], *kinds: str, forced: bool = False) -> dict[str, Any]:
    severity = "refused" if forced else "doubtful"
    return record | {"status": "doubtful", "concerns": concerns(severity, *kinds), "forced": forced}


def refused(record: dict[str, Any], *kinds: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "probability": None,
        "standing": None,
        "evidence": None,
        "decisions": [],
    }
    return record | nothing | {"status": "refused", "concerns": concerns("refused", *kinds)}


def concerns(severity: Any, *kinds: str) -> list[dict[str, str]]:
    found = "1 found, 2 wanted"
    return [plain(QualityIssue(kind, severity, found, ADVICE[kind])) for kind in kinds]


def plain(one: QualityIssue) -> dict[str, str]:
    return {name: getattr(one, name) for name in ("kind", "severity", "found", "advice")}


def states(record: dict[str, Any]) -> dict[str, Callable[[Visit], None]]:
    """Name -> how the page gets there."""

    def answered(how: dict[str, Any]) -> Callable[[Visit], None]:
        def go(visit: Visit) -> None:
            visit.answers(how)
            visit.choose(spot())
            visit.page.fill("#age", "58")
            visit.page.select_option("#site", "torso")
            visit.ask()

        return go

    def gradients(visit: Visit) -> None:
        answered(record)(visit)
        visit.page.click("#explain")
        visit.page.wait_for_selector("#gradients-picture", timeout=60_000)

    def opened(visit: Visit) -> None:
        answered(record)(visit)
        for one in visit.page.query_selector_all("summary"):
            one.click()

    def error(visit: Visit) -> None:
        visit.choose(b"\xff\xd8\xff\xe0" + bytes(2000), "broken.jpg", "image/jpeg")
        visit.ask()

    def mistaken(visit: Visit) -> None:
        visit.choose(spot())
        visit.page.fill("#age", "130")
        visit.page.click("#submit")
        visit.page.wait_for_selector("#age-error:not(:empty)")

    def offline(visit: Visit) -> None:
        visit.choose(spot())
        visit.page.context.set_offline(True)
        visit.ask()

    low = record | {"probability": 0.003}
    low["decisions"] = [one | {"positive": False} for one in record["decisions"]]
    return {
        "empty": lambda _: None,
        "chosen": lambda visit: visit.choose(spot()),
        "low": answered(low),
        "high": answered(record),
        "doubtful": answered(doubted(record, "blurred", "too dark")),
        "forced": answered(doubted(record, "too dark", forced=True)),
        "refused": answered(refused(record, *KINDS)),
        "gradients": gradients,
        "opened": opened,
        "error": error,
        "mistaken": mistaken,
        "offline": offline,
    }


NAMES = tuple(states({"decisions": []}))


def pixels(page: Page, canvas: str) -> NDArray[np.uint8]:
    """Read a picture off the page."""
    address = page.eval_on_selector(canvas, "one => one.toDataURL()")
    image = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
    return np.asarray(image.convert("RGB"))
