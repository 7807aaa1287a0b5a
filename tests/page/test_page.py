"""The page as people meet it: in a real Chromium, with the service that it comes from."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import melanoscope
from melanoscope.diagnosis import wording
from melanoscope.diagnosis.concern import ADVICE, KINDS, Concern
from melanoscope.diagnosis.pictures import OPACITY, evidence_scale, heat_overlay
from melanoscope.static import SITES

from . import harness
from .golden import lesion
from .harness import Missing, Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from melanoscope.diagnosis.answer import Diagnosis
    from melanoscope.diagnosis.predictor import Predictor

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


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    return melanoscope.load(small_bundle, threads=1)


@pytest.fixture(scope="module")
def service(predictor: Predictor, built_page: Path) -> Iterator[Service]:
    one = Service(predictor, built_page)
    one.start()
    yield one
    one.stop()


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


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    with visited(browser, service.url) as one:
        yield one


@cache
def spot(side: int = 0) -> bytes:
    """Draw a lesion as PNG."""
    image = Image.fromarray(lesion(1))
    if side:
        image = image.crop((0, 0, 160, 160)).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def accepted(answer: Diagnosis, *, positive: bool) -> dict[str, Any]:
    """Make an answer one without any doubt."""
    record = answer.to_record() | {"status": "accepted", "concerns": [], "forced": False}
    record["decisions"] = [one | {"positive": positive} for one in record["decisions"]]
    record["probability"] = 0.21 if positive else 0.003
    return record | {"bundle": "0" * 64}


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
    return [plain(Concern(kind, severity, found, ADVICE[kind])) for kind in kinds]


def plain(one: Concern) -> dict[str, str]:
    return {name: getattr(one, name) for name in ("kind", "severity", "found", "advice")}


@pytest.fixture(scope="module")
def record(predictor: Predictor) -> dict[str, Any]:
    """An answer that calls a lesion suspicious."""
    answer = predictor.diagnose(spot(), age=58, sex="female", site="torso", force=True)
    return accepted(answer, positive=True)


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


def test_types_hold(tools: None) -> None:
    try:
        node = harness.node()
    except Missing as missing:
        pytest.skip(str(missing))
    folder = harness.WEB / "node_modules" / "typescript"
    program = json.loads((folder / "package.json").read_text())["bin"]["tsc"]
    command = [node, folder / program, "--noEmit"]
    done = subprocess.run(command, cwd=harness.WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]


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
    assert page.inner_text("#answer-heading") == wording.headline(expected)
    if expected.probability is None:
        page.click("#force")
        page.wait_for_selector("#probability")
        expected = predictor.diagnose(simulated_photograph, **person, force=True)
    assert expected.probability is not None
    assert page.inner_text("#probability") == wording.percent(expected.probability)
    sent = [one for one in visit.asked[before:] if "/v1/diagnoses" in one]
    assert bool(sent) == (place == "server")


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


def pixels(page: Page, canvas: str) -> NDArray[np.uint8]:
    """Read a picture off the page."""
    address = page.eval_on_selector(canvas, "one => one.toDataURL()")
    image = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
    return np.asarray(image.convert("RGB"))


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
    assert page.inner_text("#probability") == wording.percent(odds / (1 + odds))
    assert page.locator(".thresholds strong").all_inner_texts() == before
    page.click("text=Back to")
    assert page.inner_text("#probability") == wording.percent(record["probability"])


@pytest.mark.parametrize("kind", KINDS)
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
    assert wording.FORCED in page.inner_text("#answer")
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


def test_gradients_can_be_stopped(visit: Visit, record: dict[str, Any]) -> None:
    waiting: list[Route] = []
    visit.page.route("**/v1/explanations", waiting.append)
    states(record)["high"](visit)
    page = visit.page
    page.click("#explain")
    page.click(".gradients-ask button:has-text('Stop')")
    page.wait_for_selector("text=Stopped.")
    assert page.is_visible("#explain")
    assert page.evaluate("document.activeElement.id") == "explain"


def test_the_site_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.focus("input[name=sex][value=unknown]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "place-on-body"
    for site in SITES:
        page.keyboard.press("ArrowDown")
        assert page.input_value("#site") == site
        chosen = page.locator(".region.chosen")
        sites = chosen.evaluate_all("all => [...new Set(all.map((one) => one.dataset.site))]")
        assert sites == ([] if site == "unknown" else [site])
        if site != "unknown":
            assert page.locator(".region.focused").first.get_attribute("data-site") == site
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "site"


@pytest.mark.parametrize("site", SITES[:-1])
def test_the_site_by_pointer(site: str, visit: Visit) -> None:
    page = visit.page
    for one in page.locator(f".region[data-site='{site}'] > path:first-child").all():
        page.select_option("#site", "unknown")
        one.scroll_into_view_if_needed()
        one.click()
        assert page.input_value("#site") == site
        label = f"input[name=place-on-body][value='{site}']"
        assert page.is_checked(label)
        one.click()
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
    page.route("**/v1/diagnoses", waiting.append)
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


def test_answers_are_announced_and_get_the_focus(visit: Visit, record: dict[str, Any]) -> None:
    states(record)["high"](visit)
    page = visit.page
    assert page.inner_text("#announced") == page.inner_text("#answer-heading")
    assert page.evaluate("document.activeElement.id") == "answer-heading"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_every_state_can_be_read_by_all(
    name: str,
    scheme: str,
    browser: Browser,
    service: Service,
    record: dict[str, Any],
    keep: Callable[[Page, str], None],
) -> None:
    axe = harness.WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("no axe-core")
    with visited(browser, service.url, color_scheme=scheme, reduced_motion="reduce") as visit:
        page = visit.page
        states(record)[name](visit)
        page.evaluate(axe.read_text())
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            assert visit.overflow() <= 0
            if size != "tablet":
                found = page.evaluate("axe.run().then((all) => all.violations)")
                assert [
                    told(one) for one in found if one["impact"] in ("serious", "critical")
                ] == []
            keep(page, f"{name}-{size}-{scheme}")


def told(violation: dict[str, Any]) -> str:
    return f"{violation['id']}: {[node['html'][:120] for node in violation['nodes']][:4]}"


@pytest.mark.parametrize("name", ["empty", "refused", "opened"])
def test_narrow_and_enlarged_windows_need_no_scrolling_sideways(
    name: str, browser: Browser, service: Service, record: dict[str, Any]
) -> None:
    with visited(browser, service.url, "phone", has_touch=True) as visit:
        states(record)[name](visit)
        # 320 pixels are a window of 1280 at 400 %, 640 one at 200 %.
        for width, height in ((360, 800), (320, 256), (640, 450)):
            visit.page.set_viewport_size({"width": width, "height": height})
            assert visit.overflow() <= 0


def test_on_paper_the_answer_is_left(
    visit: Visit, record: dict[str, Any], keep: Callable[[Page, str], None]
) -> None:
    states(record)["high"](visit)
    page = visit.page
    page.emulate_media(media="print")
    assert page.is_visible("#answer-heading")
    assert page.is_visible("#preview-picture")
    for one in ("#submit", "#body", "#opacity", "#explain"):
        assert not page.is_visible(one)
    keep(page, "print")


def test_motion_is_left_out_where_it_is_not_wanted(browser: Browser, service: Service) -> None:
    with visited(browser, service.url, reduced_motion="reduce") as visit:
        style = "getComputedStyle(document.documentElement).scrollBehavior"
        assert visit.page.evaluate(style) == "auto"


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
            assert page.inner_text("#answer-heading") == wording.headline(expected)
            keep(page, "without-a-server-phone-light")
    finally:
        service.stop()
