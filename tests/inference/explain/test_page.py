"""The page of an explanation says what it must, needs nothing else, and nothing in it acts."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope.imaging.decode import DecodedImage
from melanoscope.inference.explain.explanation import render_page
from melanoscope.inference.explain.overlays import encode_png
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.result import EvidenceSum
from melanoscope.inference.text import phrases
from tests.targets import IDS, OTHERS, strays

from .samples import Gradients, diagnosis, refused

EVIL = "<script>alert(1)</script>\"'&\n\x1b[31m\u202e{{ 1 }}\udcff"
VOID = {"img", "meta", "br"}


class Page(HTMLParser):
    """Elements, texts and styles of a page whose elements are nested as they must be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and "style" not in self.open:
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def bars(self):
        """Side and length in per cent of each bar of the sum."""
        spans = [one for one in self.all("span") if "width" in (one.get("style") or "")]
        return [(one["class"], float(re.findall(r"[\d.]+", one["style"])[0])) for one in spans]


def render(one, attribution=None, name="mole", notices=(), px=64):
    pixels = np.full((px, px, 3), 200, np.uint8)
    png = encode_png(pixels)
    pngs = {"photograph": png}
    if one.evidence is not None:
        pngs["evidence"] = png
        if attribution is not None:
            pngs["gradients"] = png
    return render_page(
        name,
        pngs=pngs,
        image=DecodedImage(pixels, 1024, 768),
        diagnosis=one,
        attribution=attribution,
        notices=notices,
    )


def page(*arguments, **options):
    return Page(render(*arguments, **options))


GRADIENTS = Gradients(np.full((64, 64), 0.5 / 4096))


def test_the_page_says_what_it_must():
    text = page(diagnosis(), GRADIENTS, notices=["CC BY-NC 4.0"]).text
    for words in (
        "Research software, not a medical device.",
        "calls this lesion suspicious",
        "12 %, assuming that 1.8 %",
        "not a diagnosis",
        "speaks against melanoma",
        "speaks for melanoma",
        "against a black photograph",
        "completeness error 1.23 %",
        "Sum +0.500, should be +0.505",
        "2 x 2 places",
        "1024 x 768",
        "-0.40",
        "+0.40",
        "95 % sensitivity: suspicious (threshold 1.1 %)",
        "higher than 72 % of held-out melanomas",
        "Photograph accepted",
        "Network: MobileNetV2.",
        "CC BY-NC 4.0",
    ):
        assert words in text
    assert "imulated" not in text
    assert "no gradient graph" not in text


def test_the_page_says_what_is_amiss():
    issue = QualityIssue("blurred", "doubtful", "sharpness 1.2", "Hold it still.")
    text = page(diagnosis(status="doubtful", concerns=(issue,), simulated=True, forced=True)).text
    for words in (
        "no gradient graph for this network", "Simulated", phrases.FORCED, "Photograph doubtful",
        "blurred: sharpness 1.2", "Hold it still.",
    ):  # fmt: skip
        assert words in text


def test_a_refused_photograph_gets_no_number():
    found = page(refused())
    assert "refused" in found.text
    assert "sharpness 1.2, below 3.4" in found.text
    assert "%" not in found.text
    assert "logit" not in found.text
    assert len(found.all("img")) == 1
    assert found.bars() == []


def test_the_page_needs_nothing_else_and_runs_nothing():
    html = render(diagnosis(), GRADIENTS)
    found = Page(html)
    assert not {"script", "link", "iframe", "object", "form", "a"} & {e for e, _ in found.elements}
    sources = [value for _, attributes in found.elements for value in [attributes.get("src")]]
    assert all(source.startswith("data:image/png;base64,") for source in sources if source)
    assert "url(" not in html
    assert "http" not in re.sub("http-equiv", "", html)
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    policy = next(one["content"] for one in found.all("meta") if "http-equiv" in one)
    assert policy.startswith("default-src 'none'")


def test_the_page_can_be_read_aloud():
    found = page(diagnosis(), GRADIENTS)
    assert found.all("html") == [{"lang": "en"}]
    assert "mole: explanation" in found.texts
    assert len(found.all("img")) == 4
    assert all(image["alt"] for image in found.all("img"))
    assert len(found.all("h1")) == 1


def test_words_from_outside_are_shown_and_do_nothing():
    issue = QualityIssue(EVIL, "doubtful", EVIL, EVIL)
    decision = replace(diagnosis().decisions[0], name=EVIL)
    one = diagnosis(status="doubtful", concerns=(issue,), network=EVIL, decisions=(decision,))
    html = render(one, GRADIENTS, name=EVIL, notices=[EVIL])
    found = Page(html)
    assert found.all("script") == []
    assert found.text.count(phrases.literal(EVIL)) == 8  # title, heading, issue, decision, footer
    assert not [one for one in html if one not in "\n\xa0" and not one.isprintable()]


def numbers_of_sum(found):
    first = found.texts.index("photograph")
    rows = found.texts[first : found.texts.index("= logit") + 2]
    return [Decimal(one) for one in rows if re.fullmatch(r"[+-]\d+\.\d+", one)]


@given(st.lists(st.floats(-20, 20), min_size=5, max_size=5))
def test_rounded_addends_sum_to_the_rounded_logit_or_it_is_said(values):
    evidence = EvidenceSum(np.array([[values[0]]]), *values)
    decimals, holds = phrases.decimals_of_sum(values, evidence.logit)
    shown = [Decimal(phrases.signed(one, decimals)) for one in values]
    assert holds == (sum(shown) == Decimal(phrases.signed(evidence.logit, decimals)))
    # At least two digits, and none of them off by more than half a unit.
    assert decimals >= 2
    assert all(
        abs(float(a) - b) <= 0.5001 * 10**-decimals for a, b in zip(shown, values, strict=True)
    )


def test_the_sum_on_the_page_adds_up():
    found = page(diagnosis())
    *parts, logit = numbers_of_sum(found)
    assert len(parts) == 5
    assert sum(parts) == logit
    assert phrases.ROUNDED not in found.texts


def test_the_page_admits_a_sum_that_rounding_breaks():
    broken = EvidenceSum(np.array([[0.000004]]), *[0.00002] * 5)
    *parts, logit = numbers_of_sum(page(diagnosis(evidence=broken)))
    assert sum(parts) == logit  # all zero: nothing to admit
    third = EvidenceSum(np.array([[1 / 3]]), *[1 / 3] * 5)
    found = page(diagnosis(evidence=third))
    *parts, logit = numbers_of_sum(found)
    assert sum(parts) != logit
    assert phrases.ROUNDED in found.texts


def test_bars_of_the_sum_share_one_scale_and_stand_on_their_side():
    bars = page(diagnosis()).bars()
    values = [0.55, 0.31, -0.104, 0.2, -0.62, 0.336]
    assert [side for side, _ in bars] == ["for" if value > 0 else "against" for value in values]
    # The longest takes one half of the column.
    assert [length for _, length in bars] == pytest.approx(
        [50 * abs(value) / 0.62 for value in values], abs=0.01
    )


def test_nothing_known_and_nothing_said_has_no_bars():
    nothing = EvidenceSum(np.zeros((2, 2)), 0.0, 0.0, 0.0, 0.0, 0.0)
    assert {length for _, length in page(diagnosis(evidence=nothing)).bars()} == {0.0}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium")
    with playwright.sync_playwright() as driver:
        one = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield one
        one.close()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("label", ["mole", "W" * 2000, "W " * 1000])
def test_nothing_is_wider_than_the_window(browser, tmp_path, width, label):
    issue = QualityIssue(label, "doubtful", label, label)
    one = diagnosis(status="doubtful", concerns=(issue,), network=label)
    file = tmp_path / "page.html"
    file.write_text(render(one, GRADIENTS, name=label, notices=[label]), encoding="utf-8")
    window = browser.new_page(viewport={"width": width, "height": 800})
    window.goto(file.as_uri())
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    window.close()


@pytest.mark.parametrize("target", OTHERS, ids=IDS)
@pytest.mark.parametrize("which", ["answered", "refused"])
def test_the_page_speaks_of_its_target_alone(which, target):
    one = replace(diagnosis() if which == "answered" else refused(), target=target)
    html = render(one, GRADIENTS if which == "answered" else None)
    assert strays(html) == []  # alternative texts, too
    if which == "answered":
        condition, text = target.condition, Page(html).text
        assert f"suspicious of {condition}." in text
        assert f"Probability of {condition}: 12 %" in text
        assert f"speaks against {condition}\nspeaks for {condition}" in text
        assert f"of held-out {target.plural}" in text
        (scale,) = (one["alt"] for one in Page(html).all("img") if "scale" in one["alt"])
        assert condition in scale


def test_what_a_bundle_calls_its_target_is_no_markup():
    html = render(diagnosis(target=replace(OTHERS[0], condition=EVIL, plural=EVIL)))
    assert "<script" not in html
    assert not set("\x1b\u202e") & set(html)
    Page(html)
