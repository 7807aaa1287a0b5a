"""The page of a bundle with another target speaks of that target, wherever it says anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import melanoscope
from tests.targets import strays

from .harness import Service
from .visiting import accepted, spot, states, visited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Whatever people read or hear: texts, closed parts too, and what is said instead of pictures.
SAID = """() => {
    const said = [document.title, document.body.textContent];
    for (const one of document.querySelectorAll("*")) {
        for (const name of ["alt", "aria-label", "aria-valuetext", "title", "placeholder"]) {
            if (one.hasAttribute(name)) said.push(one.getAttribute(name));
        }
    }
    return said.join("\\n");
}"""
# The card counts the photographs of each diagnosis, of which melanoma is one.
WITHOUT_DIAGNOSES = """() => {
    const found = document.querySelectorAll("#card-text [aria-label^='Diagnosis, ']");
    found.forEach((one) => one.remove());
    return found.length;
}"""


@pytest.fixture(scope="module")
def other_service(other_bundle: Path, built_page: Path) -> Iterator[Service]:
    """The page's service, of a bundle with another target."""
    one = Service(melanoscope.load(other_bundle, threads=1), built_page)
    one.start()
    yield one
    one.stop()


@pytest.mark.parametrize("state", ["empty", "low", "forced", "refused", "gradients", "opened"])
def test_every_state_speaks_of_the_target_alone(
    state: str, browser: Browser, other_service: Service, keep: Callable[[Page, str], None]
) -> None:
    bundle = other_service.predictor.bundle
    target = bundle.manifest.target
    answer = other_service.predictor.diagnose(spot(), age=58, site="torso", force=True)
    record = accepted(answer, bundle.fingerprint, positive=True)
    with visited(browser, other_service.url, "phone", reduced_motion="reduce") as visit:
        page = visit.page
        states(record)[state](visit)
        assert page.evaluate(WITHOUT_DIAGNOSES) == 1
        said = page.evaluate(SAID)
        assert strays(said) == []
        assert f"looks for {target.condition}" in page.inner_text("#asking")
        assert visit.overflow() <= 0
        keep(page, f"{target.name}-{state}-phone-light")
        if state in ("low", "gradients", "opened"):
            for words in (
                f"suspicious of {target.condition}.",
                f"Probability of {target.condition}",
                f"such photographs show {target.condition}",
                f"for {target.condition}",
                f"of held-out {target.plural} and",
                f"Finds of {target.plural}",
                f"where held-out {target.plural} and {target.negative_plural} score",
                bundle.manifest.prevalence_note,
            ):
                assert words in said


def test_the_device_answers_for_the_target_as_the_server(
    browser: Browser, other_service: Service
) -> None:
    target = other_service.predictor.bundle.manifest.target
    with visited(browser, other_service.url) as visit:
        told = []
        for place in ("server", "device"):
            if place == "server":
                visit.choose(spot())
            visit.ask(place)
            if visit.page.locator("#force").count():
                visit.page.click("#force")
                visit.page.wait_for_selector("#probability")
            told.append(visit.page.inner_text("#answer-heading"))
            visit.page.click("#remove")
            visit.choose(spot())
        assert told[0] == told[1]
        assert target.condition in told[0]
