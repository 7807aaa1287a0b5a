"""Overlays keep place, sign and proportion; sheets say what they must; files hold pixels alone."""

from __future__ import annotations

import io
import os
import re
import struct
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, PngImagePlugin
from scipy.ndimage import gaussian_filter

from melanoscope.errors import DataError
from melanoscope.imaging.decode import DecodedImage, decode_image
from melanoscope.inference.explain import canvas, sheet
from melanoscope.inference.explain.colormap import AGAINST, FOR, to_oklab
from melanoscope.inference.explain.explanation import draw_explanation
from melanoscope.inference.explain.overlays import (
    attribution_overlay,
    attribution_scale,
    blur,
    evidence_scale,
    heat_overlay,
    spread,
)
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Measured, Standing
from melanoscope.inference.text import phrases
from melanoscope.patient import PatientInfo


@dataclass(frozen=True, eq=False)
class Gradients:
    """Looks like `diagnosis.attribution.Attribution`."""

    pixels: np.ndarray
    baseline: str = "black"
    steps: int = 64
    difference: float = 0.505
    completeness_error: float = 0.0123


def photograph(px=128, seed=0):
    """Skin with a dark spot in it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:px, :px] / px - 0.5
    skin = np.array([222, 176, 150]) + rng.normal(0, 4, (px, px, 1))
    spot = np.exp(-(((x**2 + y**2) / 0.03) ** 2))[..., None]
    return np.clip(skin * (1 - 0.7 * spot), 0, 255).astype(np.uint8)


def answer(places=None, **changes):
    places = np.array([[0.4, -0.1], [0.2, 0.05]]) if places is None else places
    shares = {"photograph": float(places.sum()), "age": 0.31, "sex": -0.104, "site": 0.2}
    decision = Decision(
        "sensitive", "95 % sensitivity", "finds 95 of 100", 0.011, True,
        Measured(0.952, 0.93, 0.97, 471), Measured(0.45, 0.41, 0.49, 443),
    )  # fmt: skip
    one = Diagnosis(
        "accepted", (), PatientInfo(65.0, "female", "torso"), 0.123, 0.018, (decision,),
        Standing(0.72, 0.98), EvidenceSum(places, **shares, bias=-0.62), None, 3.4,
        "MobileNetV2", simulated=False,
    )  # fmt: skip
    return replace(one, **changes)


def refused():
    concern = QualityIssue("blurred", "refused", "sharpness 1.2, below 3.4", "Hold it still.")
    return answer(
        status="refused", concerns=(concern,), probability=None, decisions=(), standing=None,
        evidence=None,
    )  # fmt: skip


def change(after, before):
    return np.linalg.norm(to_oklab(after) - to_oklab(before), axis=-1)


def apart(pixels, hue):
    return np.linalg.norm(to_oklab(pixels) - to_oklab(np.array(hue, np.uint8)), axis=-1)


# Overlays of evidence


def test_where_nothing_is_said_the_photograph_is_unchanged():
    pixels = photograph()
    assert np.array_equal(heat_overlay(pixels, np.zeros((4, 4))), pixels)
    half = heat_overlay(pixels, np.array([[0.0, 0.0, 0.0, 1.0]]))
    assert np.array_equal(half[:, :64], pixels[:, :64])
    assert not np.array_equal(half[:, 96:], pixels[:, 96:])


@pytest.mark.parametrize(("sign", "hue", "other"), [(1, FOR, AGAINST), (-1, AGAINST, FOR)])
def test_evidence_turns_pixels_towards_its_own_hue(sign, hue, other):
    pixels = photograph()
    drawn = heat_overlay(pixels, np.full((3, 3), sign * 0.7))
    assert (apart(drawn, hue) < 0.6 * apart(pixels, hue)).all()
    assert (apart(drawn, hue) < apart(drawn, other)).all()


def test_the_scale_is_the_same_on_both_sides_of_nothing():
    pixels = np.full((90, 90, 3), 128, np.uint8)
    drawn = heat_overlay(pixels, np.array([[-2.0, 1.0, -1.0]]))
    middles = drawn[45, [15, 45, 75]]
    whole, against, speaks_for = (
        change(one, pixels[0, 0]) / apart(pixels[0, 0], hue)
        for one, hue in zip(middles, (AGAINST, FOR, AGAINST), strict=True)
    )
    assert whole == pytest.approx(0.5, abs=0.02)
    assert against == pytest.approx(0.25, abs=0.02)
    assert speaks_for == pytest.approx(0.25, abs=0.02)
    assert np.array_equal(drawn[:, 60:], heat_overlay(pixels, np.array([[-2.0, 1, -1]]))[:, 60:])


def test_a_given_scale_weakens_and_clips():
    pixels = photograph()
    values = np.array([[1.0]])
    own, wide, narrow = (heat_overlay(pixels, values, scale=one) for one in (None, 4.0, 0.1))
    assert change(wide, pixels).mean() < 0.35 * change(own, pixels).mean()
    assert np.array_equal(narrow, own)


def test_the_lesion_stays_visible_under_the_strongest_evidence():
    pixels = photograph()
    light = to_oklab(heat_overlay(pixels, np.ones((4, 4)), opacity=0.6))[..., 0]
    assert light.std() > 0.35 * to_oklab(pixels)[..., 0].std()


@pytest.mark.parametrize("shape", [(4, 4), (7, 5), (5, 7), (1, 3)])
def test_one_hot_place_shows_in_its_own_place(shape):
    height, width = 210, 210
    pixels = np.full((height, width, 3), 150, np.uint8)
    for row in range(shape[0]):
        for column in range(shape[1]):
            values = np.zeros(shape)
            values[row, column] = 1
            moved = change(heat_overlay(pixels, values), pixels)
            top, left = height * row / shape[0], width * column / shape[1]
            part = moved[
                round(top) : round(top + height / shape[0]),
                round(left) : round(left + width / shape[1]),
            ]
            assert part.max() == moved.max() > 0.05
            assert part.sum() > 0.4 * moved.sum()
            y, x = np.argwhere(moved == moved.max()).mean(axis=0) + 0.5
            if 0 < row < shape[0] - 1:
                assert y == pytest.approx(top + height / shape[0] / 2, abs=1)
            if 0 < column < shape[1] - 1:
                assert x == pytest.approx(left + width / shape[1] / 2, abs=1)


maps = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-5, 5, allow_subnormal=False),
)


@given(maps)
def test_between_places_nothing_is_invented(values):
    h, w = values.shape
    smooth = spread(values, 5 * h, 5 * w)
    assert np.allclose(smooth[2::5, 2::5], values, atol=1e-12)
    padded = np.pad(values, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    low, high = (np.kron(f(around, axis=(2, 3)), np.ones((5, 5))) for f in (np.min, np.max))
    # Neither a higher value nor another sign than the places around have.
    assert (smooth >= low - 1e-12).all()
    assert (smooth <= high + 1e-12).all()


def test_what_is_hardly_there_is_drawn_hardly_at_all():
    assert evidence_scale(np.full((4, 4), 0.001)) == pytest.approx(1 / 16)
    assert evidence_scale(np.array([[0.1, -3.0]])) == 3.0


@pytest.mark.parametrize(
    ("pixels", "values"),
    [
        (photograph().astype(float), np.ones((2, 2))),
        (photograph()[..., 0], np.ones((2, 2))),
        (photograph(), np.ones(4)),
        (photograph(), np.ones((0, 4))),
        (photograph(), np.array([[np.nan, 1.0]])),
        (photograph(), np.array([[np.inf, 1.0]])),
    ],
)
def test_impossible_evidence_is_refused(pixels, values):
    with pytest.raises(DataError):
        heat_overlay(pixels, values)
    with pytest.raises(DataError):
        attribution_overlay(pixels, values)


def test_an_impossible_scale_is_refused():
    for scale in (-1.0, np.nan, np.inf):
        with pytest.raises(DataError, match="scale"):
            heat_overlay(photograph(), np.ones((2, 2)), scale=scale)


# Integrated Gradients


def test_smoothing_is_a_gaussian_that_keeps_the_sum():
    values = np.random.default_rng(1).normal(size=(96, 128))
    smooth = blur(values)
    assert smooth.sum() == pytest.approx(values.sum())
    oracle = gaussian_filter(values, (0.012 * 96, 0.012 * 128), mode="reflect", truncate=4.0)
    # The oracle cuts its kernel off at a rounded distance.
    assert np.abs(smooth - oracle).max() < 2e-3 * np.abs(oracle).max()


def test_one_extreme_pixel_does_not_whiten_the_others():
    pixels = photograph()
    values = np.zeros((128, 128))
    values[20:60, 20:60] = 1
    plain = attribution_overlay(pixels, values)
    values[100, 100] = 1e6
    struck = attribution_overlay(pixels, values)
    assert np.array_equal(plain[30:50, 30:50], struck[30:50, 30:50])
    assert (apart(struck[30:50, 30:50], FOR) < 0.05).all()


def test_without_attribution_there_is_only_grey():
    drawn = attribution_overlay(photograph(), np.zeros((128, 128)))
    assert np.ptp(drawn.astype(int), axis=2).max() <= 1
    assert attribution_scale(np.zeros((8, 8))) == 1


@pytest.mark.parametrize("darkness", [1.0, 0.25])
def test_gradients_keep_sign_and_place_on_light_and_dark_skin(darkness):
    pixels = (photograph() * darkness).astype(np.uint8)
    values = np.zeros((128, 128))
    values[10:30, 10:30], values[90:110, 60:80] = 1, -1
    drawn = attribution_overlay(pixels, values)
    assert (apart(drawn[14:26, 14:26], FOR) < 0.1).all()
    assert (apart(drawn[94:106, 64:76], AGAINST) < 0.1).all()
    assert np.ptp(drawn[40:80, 90:].astype(int), axis=2).max() <= 1


def test_gradients_belong_to_the_photograph():
    with pytest.raises(DataError, match="Integrated Gradients"):
        attribution_overlay(photograph(64), np.zeros((32, 32)))


# Paper


@given(st.text(max_size=300), st.integers(60, 400), st.sampled_from(["left", "middle", "right"]))
@example("0000MW\x1c\x1b\x1f", 87, "middle")
@settings(max_examples=60)
def test_no_text_is_cut_off(words, width, align):
    drawn = canvas.text(words, width, align=align)
    assert drawn.shape[1] == width
    border = [drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]]
    # Ink on the border might be ink beyond it.
    assert min(one.min() for one in border) == 255
    within = width - 2 * canvas._OVERHANG
    lines = canvas._lines(canvas._showable(words), canvas._font(canvas.TEXT), within)
    assert "".join(lines).replace(" ", "") == "".join(canvas._showable(words).split())
    assert all(canvas._font(canvas.TEXT).getlength(line) <= within for line in lines)


def test_per_cent_signs_stay_with_their_numbers():
    lines = canvas._lines("a sensitivity of 95 % or so", canvas._font(17), 138)
    assert len(lines) > 1
    assert not any(line.startswith("%") for line in lines)


@pytest.mark.parametrize(("value", "left", "right"), [(1, 0, 1), (-0.5, 0.5, 0), (0.25, 0, 0.25)])
def test_bars_are_as_long_as_their_values(value, left, right):
    drawn = canvas.bar(3 * value, 3.0, 401, 20, FOR)
    inked = (drawn[10] == FOR).all(axis=1)
    assert inked[:200].sum() == pytest.approx(200 * left, abs=1.5)
    assert inked[201:].sum() == pytest.approx(200 * right, abs=1.5)


# The sheet and the files


@pytest.fixture
def said(monkeypatch):
    """Every text that a sheet sets, as one string a text."""
    words = []
    genuine = sheet.text
    monkeypatch.setattr(
        sheet, "text", lambda one, *a, **k: (words.append(one), genuine(one, *a, **k))[1]
    )
    return words


def compose(diagnosis, attribution=None, px=64, decoded=None):
    large = np.full((420, 420, 3), 200, np.uint8)
    panels = sheet.Panels(large, None if diagnosis.evidence is None else large, large)
    pixels = np.full((px, px, 3), 200, np.uint8)
    return sheet.compose(panels, decoded or DecodedImage(pixels, 1024, 768), diagnosis, attribution)


def test_the_sheet_says_what_it_must(said):
    compose(answer(), Gradients(np.full((64, 64), 0.5 / 4096)))
    page = "\n".join(said)
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
    ):
        assert words in page
    assert "imulated" not in page
    assert "no gradient graph" not in page


def test_the_sheet_says_what_is_amiss(said):
    concern = QualityIssue("blurred", "doubtful", "sharpness 1.2", "Hold it still.")
    compose(answer(status="doubtful", concerns=(concern,), simulated=True, forced=True))
    page = "\n".join(said)
    for words in (
        "no gradient graph for this network", "Simulated", phrases.FORCED, "Photograph doubtful",
        "blurred: sharpness 1.2", "Hold it still.",
    ):  # fmt: skip
        assert words in page


def test_a_refused_photograph_gets_no_number(said):
    compose(refused())
    page = "\n".join(said)
    assert "refused" in page
    assert "sharpness 1.2, below 3.4" in page
    assert "%" not in page
    assert "logit" not in page


def numbers_of_sum(said):
    first = said.index("photograph")
    rows = said[first : said.index("= logit") + 2]
    return [Decimal(one) for one in rows if re.fullmatch(r"[+-]\d+\.\d+", one)]


addends = st.lists(st.floats(-20, 20), min_size=5, max_size=5)


@given(addends)
def test_rounded_addends_sum_to_the_rounded_logit_or_it_is_said(values):
    places = np.array([[values[0]]])
    evidence = EvidenceSum(places, *values)
    decimals, holds = phrases.digits(values, evidence.logit)
    shown = [Decimal(phrases.signed(one, decimals)) for one in values]
    assert holds == (sum(shown) == Decimal(phrases.signed(evidence.logit, decimals)))
    # At least two digits, and none of them off by more than half a unit.
    assert decimals >= 2
    assert all(
        abs(float(a) - b) <= 0.5001 * 10**-decimals for a, b in zip(shown, values, strict=True)
    )


def test_the_sum_on_the_sheet_adds_up(said):
    compose(answer())
    *parts, logit = numbers_of_sum(said)
    assert len(parts) == 5
    assert sum(parts) == logit
    assert phrases.ROUNDED not in said


def test_the_sheet_admits_a_sum_that_rounding_breaks(said):
    broken = EvidenceSum(np.array([[0.000004]]), *[0.00002, 0.00002, 0.00002, 0.00002, 0.00002])
    compose(answer(evidence=broken))
    *parts, logit = numbers_of_sum(said)
    assert sum(parts) == logit  # all zero: nothing to admit
    third = EvidenceSum(np.array([[1 / 3]]), *[1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3])
    said.clear()
    compose(answer(evidence=third))
    *parts, logit = numbers_of_sum(said)
    assert (sum(parts) == logit) != (phrases.ROUNDED in said)
    assert phrases.ROUNDED in said


def test_bars_of_the_sum_share_one_scale_that_fits_the_longest(monkeypatch):
    drawn = []
    genuine = sheet.bar
    monkeypatch.setattr(sheet, "bar", lambda *a: (drawn.append(a), genuine(*a))[1])
    compose(answer())
    values = [one[0] for one in drawn]
    assert values == pytest.approx([0.55, 0.31, -0.104, 0.2, -0.62, 0.336])
    assert {one[1] for one in drawn} == {0.62}
    assert [one[4] for one in drawn[:5]] == [FOR, FOR, AGAINST, FOR, AGAINST]


@pytest.mark.parametrize("length", [1, 40, 2000])
@pytest.mark.parametrize("gap", ["", " "])
def test_labels_of_any_length_stay_on_the_sheet(length, gap):
    label = ("W" + gap) * length
    concern = QualityIssue(label, "doubtful", label, label)
    drawn = compose(answer(network=label, concerns=(concern,), status="doubtful"))
    assert drawn.shape[1] == 3 * 420 + 2 * 24 + 2 * 30
    for edge in (drawn[:28], drawn[-28:], drawn[:, :28], drawn[:, -28:]):
        assert edge.min() == 255


def test_letters_that_the_font_lacks_are_replaced_and_nothing_acts():
    assert canvas._showable("Café 皮 \u202e\x1b[31m\ud800") == "Cafe ? \\u202e\\x1b[31m\\ud800"


@pytest.mark.parametrize("px", [64, 96, 128, 224, 512])
@pytest.mark.parametrize("shape", [(4, 4), (7, 5)])
def test_files_of_an_explanation(tmp_path, px, shape):
    places = np.random.default_rng(0).normal(0, 0.1, shape)
    decoded = DecodedImage(photograph(px), 1024, 768)
    gradients = Gradients(np.random.default_rng(0).normal(0, 1e-3, (px, px)))
    files = draw_explanation(tmp_path / "new" / "mole", decoded, answer(places), gradients)
    names = ["mole-photograph", "mole-evidence", "mole-gradients", "mole-explanation"]
    assert files == [tmp_path / "new" / f"{name}.png" for name in names]
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)
    side = max(px, 420)
    for file in files[:3]:
        assert Image.open(file).size == (side, side)
    with Image.open(files[3]) as drawn:
        assert drawn.width > 3 * side
        pixels = np.asarray(drawn)
    # The sheet holds the very pictures of the other files, beside each other.
    for place, file in enumerate(files[:3]):
        left = 30 + place * (side + 24)
        part = pixels[:, left : left + side]
        picture = np.asarray(Image.open(file))
        top = next(i for i in range(len(part) - side) if np.array_equal(part[i], picture[0]))
        assert np.array_equal(part[top : top + side], picture)


def test_without_gradients_or_answer_there_are_fewer_files(tmp_path):
    decoded = DecodedImage(photograph(64), 64, 64)
    kinds = [file.name for file in draw_explanation(tmp_path / "a.v2", decoded, answer(), None)]
    assert kinds == ["a.v2-photograph.png", "a.v2-evidence.png", "a.v2-explanation.png"]
    gradients = Gradients(np.ones((64, 64)))
    kinds = [file.name for file in draw_explanation(tmp_path / "r", decoded, refused(), gradients)]
    assert kinds == ["r-photograph.png", "r-explanation.png"]


def test_files_hold_pixels_and_nothing_else(tmp_path):
    image, notes = Image.fromarray(photograph(200)), PngImagePlugin.PngInfo()
    notes.add_text("Author", "SECRET")
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = "SECRET", "SECRET"
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=notes, exif=exif, dpi=(300, 300), icc_profile=b"SECRET")
    assert b"SECRET" in file.getvalue()
    decoded = decode_image(file.getvalue(), 96)
    for written in draw_explanation(tmp_path / "x", decoded, answer(), None):
        content = written.read_bytes()
        assert b"SECRET" not in content
        assert set(chunks(content)) == {b"IHDR", b"IDAT", b"IEND"}


def chunks(content):
    place = 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        yield content[place + 4 : place + 8]
        place += 12 + length


def test_the_same_answer_gives_the_same_files(tmp_path):
    decoded = DecodedImage(photograph(64), 64, 64)
    first = [f.read_bytes() for f in draw_explanation(tmp_path / "a", decoded, answer(), None)]
    again = [f.read_bytes() for f in draw_explanation(tmp_path / "a", decoded, answer(), None)]
    assert first == again


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    decoded = DecodedImage(photograph(64), 64, 64)
    files = draw_explanation(tmp_path / "a", decoded, answer(), None)
    before = {file: file.read_bytes() for file in files}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    other = DecodedImage(photograph(64, seed=1), 64, 64)
    with pytest.raises(DataError, match="No space left on device"):
        draw_explanation(tmp_path / "a", other, answer(), None)
    assert {file: file.read_bytes() for file in files} == before
    assert sorted(tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize("name", ["file/a", "a" * 300])
def test_where_nothing_can_be_written_one_line_says_so(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="name another folder"):
        draw_explanation(tmp_path / name, DecodedImage(photograph(64), 64, 64), answer(), None)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
