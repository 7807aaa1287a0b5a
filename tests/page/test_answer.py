"""The answer as people meet it: in a real Chromium, with the service that it comes from."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from melanoscope.inference.explain.overlays import OPACITY, evidence_scale, heat_overlay
from melanoscope.inference.quality.issues import ADVICE, KINDS, NO_ANSWER
from melanoscope.inference.text import phrases

from .harness import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from melanoscope.inference.predictor import Predictor

from .visiting import Visit, doubted, pixels, refused, spot, states, visited


@pytest.mark.parametrize("place", ["server", "device"])
def test_a_photograph_is_answered(
    place: str, visit: Visit, predictor: Predictor, simulated_photograph: Path
) -> None:
    page = visit.page
    visit.choose(simulated_photograph.read_bytes(), "mole.jpg", "image/jpeg")
    page.fill("#age", "45")
    page.check("input[name=sex][value=male]")
    page.select_option("#site", "lower extremity")
    before = len(visit.asked)
    visit.ask(place)
    person: dict[str, Any] = {"age": 45, "sex": "male", "site": "lower extremity"}
    expected = predictor.diagnose(simulated_photograph, **person)
    assert page.inner_text("#answer-heading") == phrases.headline(expected)
    if expected.probability is None:
        page.click("#force")
        page.wait_for_selector("#probability")
        expected = predictor.diagnose(simulated_photograph, **person, force=True)
    assert expected.probability is not None
    assert page.inner_text("#probability") == phrases.percent(expected.probability)
    assert "Known: age 45, sex male, site lower extremity." in page.inner_text("#answer")
    sent = [one for one in visit.asked[before:] if "/v1/diagnoses" in one]
    assert bool(sent) == (place == "server")


@pytest.mark.parametrize("place", ["server", "device"])
def test_age_0_is_unknown(place: str, visit: Visit) -> None:
    visit.choose(spot())
    visit.page.fill("#age", "0")
    visit.ask(place)
    answer = visit.page.inner_text("#answer")
    assert "Known: age unknown, sex unknown, site unknown." in answer


def test_plain_words_come_first(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["low"](visit)
    text = visit.page.inner_text("#answer")
    told = [
        "does not call this lesion suspicious",
        "Nor is it an all-clear",
        "Whatever the answer: have a doctor look at any spot that changes or worries you.",
        "Probability of melanoma",
        "Where in the photograph it comes from",
        "The whole sum",
    ]
    places = [text.index(one) for one in told]
    assert places == sorted(places)
    # The bundle of these tests learnt from drawn lesions.
    assert "says nothing about skin" in visit.page.inner_text("#simulated")
    assert "says nothing about skin" in text


def test_what_the_network_is_for_is_told_before_a_photograph_is_taken(
    browser: Browser, service: Service
) -> None:
    def dermoscopic(route: Route) -> None:
        told = route.fetch().json()
        told["record"]["data"] |= {"simulated": False, "dermoscopy_only": True}
        route.fulfill(json=told)

    with visited(browser, service.url) as visit:
        assert not visit.page.is_visible("#dermoscopy")
        visit.page.route("**/v1/bundle", dermoscopic)
        visit.page.reload()
        visit.page.wait_for_selector("#dermoscopy:not([hidden])")
        assert not visit.page.is_visible("#simulated")
        visit.choose(spot())
        visit.ask()
        assert phrases.DERMOSCOPY in visit.page.inner_text("#answer")
        assert "archived photographs" in visit.page.inner_text("#asking")


def test_that_it_is_no_device_is_said_once_and_always(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["high"](visit)
    page = visit.page
    assert page.inner_text("body").lower().count("not a medical device") == 1
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    box = page.locator("#notice").bounding_box()
    assert box is not None
    assert box["y"] == 0


def test_the_heat_map_is_pythons_and_follows_its_slider(
    visit: Visit, record: dict[str, Any]
) -> None:
    content = spot(448)
    photograph = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    visit.answers(record)
    visit.choose(content)
    visit.ask()
    page = visit.page
    values = np.array(record["evidence"]["places"])
    scale = evidence_scale(values)
    for percent, opacity in ((round(100 * OPACITY), OPACITY), (0, 0.0), (100, 1.0)):
        page.fill("#opacity", str(percent))
        page.wait_for_timeout(100)
        found = pixels(page, "#evidence-picture")
        expected = heat_overlay(photograph, values, opacity=opacity, scale=scale)
        assert np.abs(found.astype(int) - expected).max() <= 3
        assert page.get_attribute("#opacity", "aria-valuetext") == f"{percent} %"


def test_the_sum_is_exact(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["high"](visit)
    cells = visit.page.locator(".sum .amount").all_inner_texts()
    numbers = [float(one.replace("\N{MINUS SIGN}", "-")) for one in cells]
    decimals = len(cells[0].split(".")[1])
    assert round(sum(numbers[:-1]), decimals) == numbers[-1]
    assert numbers[-1] == pytest.approx(record["evidence"]["logit"], abs=0.5 * 10**-decimals)


def test_a_prevalence_moves_probabilities_and_no_decision(
    visit: Visit, record: dict[str, Any]
) -> None:
    states(record)["high"](visit)
    page = visit.page
    before = page.locator(".thresholds strong").all_inner_texts()
    page.focus("#prevalence")
    page.keyboard.press("End")
    odds = record["probability"] / (1 - record["probability"])
    odds *= (1 - record["prevalence"]) / record["prevalence"]  # to a half
    assert page.inner_text("#probability") == phrases.percent(odds / (1 + odds))
    assert page.locator(".thresholds strong").all_inner_texts() == before
    page.click("text=Back to")
    assert page.inner_text("#probability") == phrases.percent(record["probability"])


def test_a_damaged_network_is_said_without_a_picture(visit: Visit, record: dict[str, Any]) -> None:
    visit.answers(refused(record, NO_ANSWER))
    visit.choose(spot())
    visit.ask()
    item = visit.page.locator(".verdict .advice li")
    assert ADVICE[NO_ANSWER] in item.inner_text()
    assert item.locator("img").count() == 0  # no photograph could be better


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != NO_ANSWER])
def test_every_concern_has_a_picture_of_what_to_do_better(
    kind: str, visit: Visit, record: dict[str, Any]
) -> None:
    visit.answers(refused(record, kind))
    visit.choose(spot())
    visit.ask()
    item = visit.page.locator(".verdict .advice li")
    assert item.count() == 1
    assert ADVICE[kind] in item.inner_text()
    picture = item.locator("img")
    picture.wait_for()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    assert (picture.get_attribute("alt") or "").startswith("Crossed out: ")


def test_a_refusal_can_be_overridden(visit: Visit, record: dict[str, Any]) -> None:
    sent: list[str] = []

    def answer(route: Route) -> None:
        form = route.request.post_data_buffer or b""
        sent.append(form.decode("latin-1"))
        forced = 'name="force"\r\n\r\ntrue' in sent[-1]
        how = doubted(record, "too dark", forced=True) if forced else refused(record, "too dark")
        route.fulfill(json=how)

    visit.page.route("**/v1/diagnoses", answer)
    visit.choose(spot(), "Jane Doe, left arm.png")
    visit.ask()
    page = visit.page
    assert page.inner_text("#answer-heading") == "No answer: this photograph was refused."
    assert page.locator("#probability").count() == 0
    page.click("#force")
    page.wait_for_selector("#probability")
    assert phrases.FORCED in page.inner_text("#answer")
    assert len(sent) == 2
    assert "Jane" not in "".join(sent)  # a file's name may say who it is about


def test_gradients_on_request(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["high"](visit)
    page = visit.page
    page.select_option("#baseline", "mean skin")
    page.click("#explain")
    page.wait_for_selector("#gradients-picture", timeout=60_000)
    said = page.inner_text(".pictures figure:nth-child(2) [role=status]")
    assert "against mean skin" in said
    assert "completeness error" in said
    strong = pixels(page, "#gradients-picture")
    page.fill("#opacity", "0")
    page.wait_for_timeout(100)
    assert (pixels(page, "#gradients-picture") != strong).any()


def test_who_stops_gradients_on_the_device_waits_for_nothing(visit: Visit) -> None:
    page = visit.page
    visit.choose(spot())
    visit.ask("device")
    if page.locator("#force").count():
        page.click("#force")
        page.wait_for_selector("#probability")
    page.evaluate(
        """() => new Promise((done) => {
            const bar = document.querySelector(".gradients-ask progress");
            new MutationObserver((_, watch) => {
                if (!bar.hasAttribute("value")) return;
                watch.disconnect();
                document.querySelector(".gradients-ask button:not([hidden])").click();
                done();
            }).observe(bar, {attributes: true});
            document.querySelector("#explain").click();
        })"""
    )
    page.wait_for_selector("text=Stopped.")
    assert page.locator("#gradients-picture").count() == 0


def test_a_server_with_another_network_is_met_anew(
    visit: Visit, predictor: Predictor, record: dict[str, Any]
) -> None:
    def other(route: Route) -> None:
        told = route.fetch().json()
        told["fingerprint"] = "e" * 64
        told["record"]["network"]["label"] = "Another network"
        route.fulfill(json=told)

    page = visit.page
    page.route("**/v1/bundle", other)
    visit.answers(record | {"bundle": "e" * 64})
    visit.choose(spot())
    visit.ask()
    assert page.is_visible("#probability")
    assert "Another network" in page.inner_text("#asking")
    visit.answers(record | {"bundle": "d" * 64})  # and a third one, which does not say who it is
    page.click("#submit")
    page.wait_for_selector("#problem-heading")
    assert "has changed its network" in page.inner_text("#problem")


def test_gradients_can_be_stopped(visit: Visit, record: dict[str, Any]) -> None:
    waiting: list[Route] = []
    visit.page.route("**/v1/explanations", lambda route: waiting.append(route))
    states(record)["high"](visit)
    page = visit.page
    page.click("#explain")
    page.click(".gradients-ask button:has-text('Stop')")
    page.wait_for_selector("text=Stopped.")
    assert page.is_visible("#explain")
    assert page.evaluate("document.activeElement.id") == "explain"


def test_it_answers_without_a_server_after_the_first_visit(
    browser: Browser, predictor: Predictor, built_page: Path, keep: Callable[[Page, str], None]
) -> None:
    service = Service(predictor, built_page)
    service.start()
    try:
        with visited(browser, service.url, "phone", service_workers="allow") as visit:
            page = visit.page
            page.wait_for_selector("text=are kept on this device", timeout=60_000)
            service.stop()
            page.reload()
            page.wait_for_selector("#asking:not([hidden])")
            visit.choose(spot())
            visit.ask("device")
            expected = predictor.diagnose(spot())
            assert page.inner_text("#answer-heading") == phrases.headline(expected)
            keep(page, "without-a-server-phone-light")
    finally:
        service.stop()
