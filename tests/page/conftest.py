"""The built page, a Chromium to look at it with, and where screenshots are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import melanoscope

from . import harness
from .harness import Missing, Service
from .visiting import Visit, accepted, spot, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from melanoscope.inference.predictor import Predictor

Keep = Callable[["Page", str], None]


def without(missing: Missing) -> None:
    """Skip, or fail where MELANOSCOPE_BROWSER says that a browser has to be there."""
    if os.environ.get("MELANOSCOPE_BROWSER") == "required":
        pytest.fail(str(missing))
    pytest.skip(str(missing))


@pytest.fixture(scope="session")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the page, built anew."""
    folder = tmp_path_factory.mktemp("page") / "built"
    try:
        harness.build(folder)
    except Missing as missing:
        without(missing)
    return folder


@pytest.fixture(scope="session")
def built_harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bare page that hands the device's engine to tests."""
    folder = tmp_path_factory.mktemp("harness") / "page"
    try:
        harness.build(folder, "harness")
    except Missing as missing:
        without(missing)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    try:
        with harness.chromium() as one:
            yield one
    except Missing as missing:
        without(missing)


@pytest.fixture(scope="session")
def keep() -> Keep:
    """Keep a screenshot of the whole page, where MELANOSCOPE_ARTEFACTS names a folder."""
    named = os.environ.get("MELANOSCOPE_ARTEFACTS")

    def save(page: Page, name: str) -> None:
        if named:
            Path(named).mkdir(parents=True, exist_ok=True)
            # What is always in sight would hang in the middle of the picture.
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            page.evaluate("document.querySelector('.go').style.position = 'static'")
            page.screenshot(path=Path(named) / f"page-{name}.png", full_page=True)

    return save


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    return melanoscope.load(small_bundle, threads=1)


@pytest.fixture(scope="module")
def service(predictor: Predictor, built_page: Path) -> Iterator[Service]:
    """The page's service."""
    one = Service(predictor, built_page)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    with visited(browser, service.url) as one:
        yield one


@pytest.fixture(scope="module")
def record(predictor: Predictor) -> dict[str, Any]:
    """An answer that calls a lesion suspicious."""
    answer = predictor.diagnose(spot(), age=58, sex="female", site="torso", force=True)
    return accepted(answer, predictor.bundle.fingerprint, positive=True)
