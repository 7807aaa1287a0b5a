"""Every state can be read: by screen readers, on narrow screens, in the dark, on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from . import harness
from .harness import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


from .visiting import NAMES, SIZES, Visit, states, visited


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
