"""Choosing a photograph, saying whose it is, waiting, and what may go wrong meanwhile."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from melanoscope.patient import SITES

from .harness import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


from .visiting import Visit, spot, states, visited


def test_the_site_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.focus("input[name=sex][value=unknown]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "place-on-body"
    for site in SITES:
        page.keyboard.press("ArrowDown")
        assert page.input_value("#site") == site
        drawn = page.locator(f".region[data-site='{site}']").count()
    assert page.locator(".region.chosen").count() == drawn


@pytest.mark.parametrize("site", SITES[:-1])
def test_the_site_by_pointer(site: str, visit: Visit) -> None:
    page = visit.page
    for one in page.locator(f".region[data-site='{site}'] > path:first-child").all():
        page.select_option("#site", "unknown")
        one.scroll_into_view_if_needed()
        box = one.bounding_box()
        assert box is not None
        # The middle of a face is its mouth, which is a region of its own.
        down = 0.2 if site == "head/neck" else 0.5
        at = {"x": box["width"] / 2, "y": box["height"] * down}
        # What lies above it, to be hit by fingers, belongs to the same region.
        one.click(force=True, position=at)
        assert page.input_value("#site") == site
        label = f"input[name=place-on-body][value='{site}']"
        assert page.is_checked(label)
        one.click(force=True, position=at)
        assert page.input_value("#site") == "unknown"


def test_a_drop_and_a_paste(visit: Visit) -> None:
    page = visit.page
    content = base64.b64encode(spot()).decode()
    for event, name in (("drop", "dropped.png"), ("paste", "pasted.png")):
        page.evaluate(
            """([content, event, name]) => {
              const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
              const data = new DataTransfer();
              data.items.add(new File([bytes], name, { type: "image/png" }));
              const how = { bubbles: true, cancelable: true };
              document.body.dispatchEvent(event === "drop"
                ? new DragEvent(event, { ...how, dataTransfer: data })
                : new ClipboardEvent(event, { ...how, clipboardData: data }));
            }""",
            [content, event, name],
        )
        page.wait_for_selector(f"text={name}")
    assert page.get_attribute("#camera", "capture") == "environment"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "empty"), (b"\0\0\0\x18ftypmp42" + bytes(200), "video"), (b"%PDF-1.7", "no photograph")],
)
def test_what_is_no_photograph_is_told_at_once(content: bytes, told: str, visit: Visit) -> None:
    file = {"name": "file", "mimeType": "image/png", "buffer": content}
    visit.page.set_input_files("#file", file)  # type: ignore[arg-type]
    visit.page.wait_for_selector("#photograph-error:not(:empty)")
    assert told in visit.page.inner_text("#photograph-error")
    assert not visit.page.is_visible("#preview")


def test_without_a_photograph_nothing_is_asked(visit: Visit) -> None:
    visit.page.click("#submit")
    assert "Choose a photograph first" in visit.page.inner_text("#photograph-error")
    assert visit.page.evaluate("document.activeElement.id") == "file"


SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.png"


def test_scripts_are_shown_as_text(browser: Browser, service: Service) -> None:
    card = f"# {SCRIPT}\n\n| {SCRIPT} | b |\n| --- | --- |\n| `{SCRIPT}` | **{SCRIPT}** |\n"

    def poisoned(route: Route) -> None:
        told = route.fetch().json()
        told["card"] = card
        told["record"]["network"]["label"] = SCRIPT
        told["record"]["licence"]["attribution"] = [SCRIPT]
        route.fulfill(json=told)

    with visited(browser, service.url) as visit:
        page = visit.page
        page.on("dialog", lambda _: pytest.fail("a script ran"))
        page.route("**/v1/bundle", poisoned)
        problem = {"type": "about:blank", "title": SCRIPT, "status": 422, "detail": SCRIPT}
        page.route(
            "**/v1/diagnoses",
            lambda route: route.fulfill(
                status=422, content_type="application/problem+json", body=json.dumps(problem)
            ),
        )
        page.reload()
        page.wait_for_selector("#asking:not([hidden])")
        visit.choose(spot(), SCRIPT)
        shown = SCRIPT.replace("\u202e", "\\u{202e}")
        assert page.inner_text("#preview-name") == shown
        visit.ask()
        page.click("#card summary")
        for place in ("#problem", "#card-text", "#licence-text", "#asking"):
            assert "<script>alert(2)</script>" in page.inner_text(place)
        assert page.locator("img[src=x], body script").count() == 0


def test_changes_after_an_answer_are_told(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["high"](visit)
    page = visit.page
    assert not page.is_visible("#stale")
    page.fill("#age", "20")
    assert page.is_visible("#stale")
    visit.ask()
    page.wait_for_selector("#stale", state="hidden")
    page.click("#remove")
    assert not page.is_visible("#answer")


def test_changes_while_it_is_computed_are_told_and_the_writer_goes_on(
    visit: Visit, record: dict[str, Any]
) -> None:
    page = visit.page
    waiting: list[Route] = []
    page.route("**/v1/diagnoses", lambda route: waiting.append(route))
    visit.choose(spot())
    page.check("input[name=where][value=server]")
    page.click("#submit")
    page.wait_for_selector("#working:not([hidden])")
    page.focus("#age")
    page.keyboard.type("4")
    while not waiting:
        page.wait_for_timeout(20)
    waiting[0].fulfill(json=record)
    page.wait_for_selector("#answer-heading")
    page.keyboard.type("5")
    assert page.input_value("#age") == "45"
    assert page.is_visible("#stale")


@pytest.mark.parametrize(
    ("status", "kind", "ways"),
    [
        (413, "too-large", ["Choose another photograph", "Compute on this device"]),
        (422, "unreadable-photograph", ["Choose another photograph"]),
        (503, "busy", ["Try again", "Compute on this device"]),
    ],
)
def test_what_is_offered_may_help(visit: Visit, status: int, kind: str, ways: list[str]) -> None:
    page = visit.page
    problem = {"type": f"urn:melanoscope:problem:{kind}", "status": status, "detail": "no"}
    page.route(
        "**/v1/diagnoses",
        lambda route: route.fulfill(
            status=status, content_type="application/problem+json", body=json.dumps(problem)
        ),
    )
    visit.choose(spot())
    visit.ask()
    assert page.locator("#problem button").all_inner_texts() == ways


def test_the_server_is_offered_for_what_this_browser_cannot_open(visit: Visit) -> None:
    file = io.BytesIO()
    Image.open(io.BytesIO(spot())).save(file, "TIFF")
    page = visit.page
    visit.choose(file.getvalue(), "spot.tiff", "image/tiff")
    visit.ask("device")
    assert page.locator("#problem button").all_inner_texts() == [
        "Choose another photograph",
        "Send the photograph to the server",
    ]
    page.click("text=Send the photograph to the server")
    page.wait_for_selector("#answer-heading")


def test_back_shows_what_is_going_to_be_asked(visit: Visit) -> None:
    page = visit.page
    page.select_option("#site", "torso")
    page.check("input[name=sex][value=female]")
    page.click("text=Licences of the software")
    page.go_back()
    page.wait_for_selector("#asking:not([hidden])")
    site = page.input_value("#site")
    assert page.is_checked(f"input[name=place-on-body][value='{site}']")
    chosen = page.locator(".region.chosen")
    assert chosen.count() == (
        0 if site == "unknown" else page.locator(f"[data-site='{site}']").count()
    )


def test_errors_in_plain_words(visit: Visit) -> None:
    page = visit.page
    problem = {
        "type": "urn:melanoscope:problem:busy",
        "title": "Too many requests are waiting",
        "status": 503,
        "detail": "expected a place; found none; try again in 7 seconds",
        "expected": "a place in the queue",
        "found": "none",
        "mend": "try again later",
    }
    page.route(
        "**/v1/diagnoses",
        lambda route: route.fulfill(
            status=503,
            headers={"Retry-After": "7", "Content-Type": "application/problem+json"},
            body=json.dumps(problem),
        ),
    )
    visit.choose(spot())
    visit.ask()
    told = page.inner_text("#problem")
    assert "The server is busy" in told
    assert "Try again in 7 seconds." in told
    assert page.is_visible("#problem button:has-text('Try again')")
    assert page.is_visible("#problem button:has-text('Compute on this device')")


def test_waiting_is_announced_and_can_be_stopped(visit: Visit) -> None:
    waiting: list[Route] = []
    page = visit.page
    page.route("**/v1/diagnoses", lambda route: waiting.append(route))
    visit.choose(spot())
    page.check("input[name=where][value=server]")
    page.click("#submit")
    page.wait_for_selector("#working:not([hidden])")
    assert page.get_attribute("#ask", "aria-busy") == "true"
    assert page.inner_text("#announced")
    page.click("#cancel")
    page.wait_for_selector("#working", state="hidden")
    assert page.inner_text("#announced") == "Stopped."
    assert page.get_attribute("#ask", "aria-busy") == "false"
    assert not page.is_visible("#problem .panel")
