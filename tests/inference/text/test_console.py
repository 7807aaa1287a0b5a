"""What a terminal shows: the answer first, honest, within its width, harmless whatever the name."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from melanoscope.errors import DataError
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing
from melanoscope.inference.text import phrases
from melanoscope.inference.text.console import diverging_bar, print_diagnosis, print_summary
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MELANOMA, custom_target
from tests.targets import IDS, OTHERS, strays

EVIL = "[red]x[/red]\n\x1b[31m\u202ename 皮膚 :smile: \udcff\x07.jpg"


def interval(estimate: float, low: float, high: float, n: int) -> Interval:
    """Return an interval as a bundle holds it."""
    return Interval(
        estimate=estimate, low=low, high=high, standard_error=0.01, n=n, method="bootstrap"
    )


BLURRED = QualityIssue("blurred", "doubtful", "sharpness 1.2, below 3.4", "Hold the camera still.")
FAR = QualityIssue(
    "unlike the training photographs", "refused", "812, beyond 411", "Use a dermoscope."
)


def decisions(*, positive):
    return (
        Decision(
            "sensitive", "95 % sensitivity", "chosen to find nearly all", 0.0112, positive,
            interval(0.952, 0.93, 0.971, 471),
            interval(0.45, 0.41, 0.49, 443),
        ),
        Decision("balanced", "balanced", "chosen between", 0.034, False, None, None),
    )  # fmt: skip


def answer(*, positive=True, **changes):
    evidence = EvidenceSum(np.array([[0.4, -0.1], [0.2, 0.05]]), 0.55, 0.31, -0.104, 0.2, -0.62)
    one = Diagnosis(
        status="accepted",
        concerns=(),
        probability=0.123,
        prevalence=0.018,
        decisions=decisions(positive=positive),
        standing=Standing(0.72, 0.981),
        evidence=evidence,
        person=PatientInfo(65.0, "female", "upper extremity"),
        quality=None,
        distance=3.4,
        target=MELANOMA,
        network="MobileNetV2",
        simulated=False,
    )
    return replace(one, **changes)


REFUSED = answer(
    status="refused", concerns=(FAR, BLURRED), probability=None, decisions=(), standing=None,
    evidence=None,
)  # fmt: skip
ANSWERS = {
    "positive": answer(),
    "negative": answer(positive=False, status="doubtful", concerns=(BLURRED,)),
    "refused": REFUSED,
    "forced": answer(status="doubtful", concerns=(FAR,), forced=True, simulated=True),
}


def printed(one, name="mole.jpg", width=80):
    console = Console(file=io.StringIO(), width=width)
    print_diagnosis(console, one, name)
    return console.file.getvalue()


def summary(answers, width=80):
    console = Console(file=io.StringIO(), width=width)
    print_summary(console, answers)
    return console.file.getvalue()


def flat(text):
    """One line, as if the terminal were endlessly wide."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("which", sorted(ANSWERS))
@pytest.mark.parametrize("name", ["mole.jpg", EVIL, "皮膚" * 60, "x" * 300])
def test_no_line_is_too_long_and_no_control_code_gets_through(which, width, name):
    for text in (
        printed(ANSWERS[which], name, width),
        summary([(name, ANSWERS[which]), (name, f"expected {name}")], max(width, 60)),
    ):
        lines = text.split("\n")
        assert max(cell_len(line) for line in lines) <= min(max(width, 60), 88)
        assert all(line == line.rstrip() for line in lines)
        assert not [c for c in text if c != "\n" and not c.isprintable()]
    assert max(cell_len(line) for line in printed(ANSWERS[which], name, width).split("\n")) <= width


@given(st.text(st.characters(), min_size=1, max_size=120))
@example(EVIL)
def test_names_are_shown_literally(name):
    shown = "".join(phrases.literal(name).split())
    for text in (printed(REFUSED, name), summary([(name, "no file")])):
        assert shown in "".join(text.split())


def test_markup_and_escape_codes_are_seen_not_done():
    first = printed(ANSWERS["positive"], EVIL).split("\n")[0]
    assert first == r"[red]x[/red]\n\x1b[31m\u202ename 皮膚 :smile: \udcff\x07.jpg"


def test_no_code_of_a_name_reaches_a_terminal_with_colours():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    bundled = QualityIssue("\x1b[2J", "doubtful", "\x1b]0;title\x07", "[link=x]y[/link]")
    print_diagnosis(console, answer(concerns=(bundled,)), "\x1b[2J\x1b]8;;http://x\x07.jpg")
    text = console.file.getvalue()
    assert "\x1b[" in text
    # Rich's own codes set colours and nothing else.
    assert set(re.findall(r"\x1b(?!\[[\d;]*m).{3}", text)) == set()
    assert "\x07" not in text
    assert "[link=x]y[/link]" in text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_stream_can_take_it(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    for one in ANSWERS.values():
        print_diagnosis(Console(file=stream, width=60), one, EVIL)
    print_summary(Console(file=stream, width=60), [(EVIL, one) for one in ANSWERS.values()])
    stream.flush()
    text = stream.buffer.getvalue().decode(encoding)
    assert ("█" in text) == (encoding == "utf-8")
    assert "#" in text or encoding == "utf-8"


def test_the_answer_comes_first_and_says_what_it_is_not():
    name, headline, caution = printed(ANSWERS["positive"]).split("\n")[:3]
    assert name == "mole.jpg"
    assert headline == "The network calls this lesion suspicious of melanoma."
    assert caution.startswith("This is not a diagnosis. It also calls 55 %")
    headline, caution = printed(ANSWERS["negative"]).split("\n")[1:3]
    assert headline == "The network does not call this lesion suspicious of melanoma."
    assert caution.startswith("This is not a diagnosis. Nor is it an all-clear: it misses 4.8 %")


def test_every_answer_closes_with_honesty():
    for one in ANSWERS.values():
        text = printed(one).rstrip()
        assert text.count(phrases.NOT_A_DEVICE) == 1
        assert text.endswith("whatever is said here.")


@pytest.mark.parametrize("width", [60, 80])
def test_numbers_come_with_what_they_rest_on(width):
    text = flat(printed(ANSWERS["positive"], width=width))
    for words in (
        "12 %, assuming that 1.8 % of such photographs show melanoma",
        "95 % sensitivity: suspicious (threshold 1.1 %)",
        "balanced: not suspicious (threshold 3.4 %)",
        "chosen to find nearly all",
        "finds 95.2 % of held-out melanomas (93.0 to 97.1 %; n 471)",
        "spares 45.0 % of held-out others (41.0 to 49.0 %; n 443)",
        "higher than 72 % of held-out melanomas and 98 % of others",
        "Photograph accepted",
    ):
        assert words in text
    assert "imulated" not in text
    assert "overridden" not in text


def test_doubts_come_with_their_reason_and_advice():
    text = flat(printed(ANSWERS["negative"]))
    assert "Photograph doubtful - blurred: sharpness 1.2, below 3.4 Hold the camera still." in text
    assert "--force" not in text
    text = flat(printed(ANSWERS["forced"]))
    assert phrases.FORCED in text
    assert phrases.SIMULATED in text


def test_a_refusal_says_why_and_gives_no_number():
    text = flat(printed(REFUSED))
    for words in ("was refused", FAR.found, FAR.advice, BLURRED.found, BLURRED.advice, "--force"):
        assert words in text
    assert "%" not in text
    assert "logit" not in text
    assert "suspicious" not in text


def rows_of_sum(text):
    found = re.findall(r"^  (\S.*?) +([+-]\d+\.\d+)(?: +(.*))?$", text, re.MULTILINE)
    return {name: (Decimal(number), bar) for name, number, bar in found}


@pytest.mark.parametrize("width", [60, 80])
def test_the_printed_sum_adds_up(width):
    rows = rows_of_sum(printed(ANSWERS["positive"], width=width))
    total, _ = rows.pop("= logit")
    assert list(rows) == ["photograph", "age 65", "sex female", "site upper extremity", "bias"]
    assert sum(number for number, _ in rows.values()) == total == Decimal("0.34")


def test_a_sum_that_rounding_breaks_is_admitted():
    third = EvidenceSum(np.array([[1 / 3]]), *[1 / 3] * 5)
    assert phrases.ROUNDED in flat(printed(answer(evidence=third)))
    assert phrases.ROUNDED not in flat(printed(answer()))


def test_bars_stand_on_their_side_in_proportion():
    rows = rows_of_sum(printed(ANSWERS["positive"]))
    for number, bar in rows.values():
        left, right = (
            2 * side.count("█") + len(re.findall("[▐▌]", side)) for side in bar.split("│")
        )
        assert right == pytest.approx(36 * max(float(number), 0) / 0.62, abs=0.51)
        assert left == pytest.approx(36 * max(-float(number), 0) / 0.62, abs=0.51)


@given(st.floats(-1, 1), st.integers(1, 30), st.booleans())
def test_bars_have_the_width_they_are_given(share, half, ascii_only):
    left, right = diverging_bar(share, half, ascii_only=ascii_only)
    assert len(left) == len(right) == half
    assert not (left.strip() and right.strip())
    assert left == "" or left.rstrip() == "" or left[-1] != " "


def test_nothing_known_and_nothing_said_is_shown_without_bars():
    nothing = EvidenceSum(np.zeros((2, 2)), 0.0, 0.0, 0.0, 0.0, 0.0)
    text = printed(answer(evidence=nothing, person=PatientInfo()))
    assert "age unknown" in text
    assert "+0.00" in text
    assert "-0.00" not in text
    assert "█" not in text


def test_thresholds_without_measurements_and_answers_without_thresholds():
    bare = answer(decisions=decisions(positive=True)[1:])
    assert "intervals" not in printed(bare)
    assert "Nor is it an all-clear." in printed(bare)
    none = printed(answer(decisions=()))
    assert "no threshold" in none
    assert "Thresholds" not in none


# Several photographs


MANY = [
    ("a.jpg", ANSWERS["positive"]),
    ("皮膚.jpg", ANSWERS["negative"]),
    ("a/very/long/name/" * 4, REFUSED),
    ("c.jpg", str(DataError("a whole photograph", "an empty file", "replace it"))),
]


@pytest.mark.parametrize("width", [60, 80])
def test_a_summary_has_a_row_for_each_photograph_in_order(width):
    text = summary(MANY, width)
    lines = text.split("\n")
    starts = [next(i for i, x in enumerate(lines) if x.startswith(n[:9])) for n, _ in MANY]
    assert starts == sorted(starts)
    words = flat(text)
    assert "a.jpg accepted 12 % suspicious" in words
    assert "皮膚.jpg doubtful 12 % not suspicious" in words
    assert "found an empty file; replace it" in words
    assert "4 photographs: 1 accepted, 1 doubtful, 1 refused, 1 in error." in words
    assert "assume that 1.8 % of such photographs" in words
    assert FAR.found in words
    assert text.count(phrases.NOT_A_DEVICE) == 1


def test_columns_of_a_summary_line_up():
    lines = summary(MANY).split("\n")
    column = cell_len(lines[0].split("status")[0])
    for state in ("accepted", "doubtful", "refused", "error"):
        line = next(x for x in lines[1:] if re.search(f" {state}( |$)", x))
        assert cell_len(line.split(state)[0]) == column


def test_a_refused_photograph_has_no_probability_in_a_summary():
    text = summary([("a.jpg", REFUSED)])
    row = next(line for line in text.split("\n") if line.startswith("a.jpg"))
    assert row.split() == ["a.jpg", "refused"]
    assert text.count("1 photograph:") == 1


def test_prevalences_that_differ_are_all_named():
    text = flat(summary([("a", answer()), ("b", answer(prevalence=0.1))]))
    assert "1.8 % of such" in text
    assert "10 % of such" in text


def test_an_empty_summary_is_no_failure():
    assert "0 photographs" in summary([])


# Words


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"), (1e-9, "below 0.1 %"), (0.00099, "below 0.1 %"), (0.001, "0.1 %"),
        (0.0996, "10 %"), (0.5, "50 %"), (0.989, "99 %"), (0.9951, "99.5 %"),
        (0.99951, "above 99.9 %"), (1, "100 %"),
    ],
)  # fmt: skip
def test_per_cent(share, text):
    assert phrases.percent(share) == text


@given(st.floats(0, 1))
def test_per_cent_never_says_certain(share):
    assert (phrases.percent(share) in ("0 %", "100 %")) == (share in (0, 1))


@pytest.mark.parametrize("target", OTHERS, ids=IDS)
@pytest.mark.parametrize("width", [40, 60, 88])
@pytest.mark.parametrize("which", sorted(ANSWERS))
def test_an_answer_speaks_of_its_target_alone(which, width, target):
    one = replace(ANSWERS[which], target=target)
    text = flat(printed(one, width=width))
    assert strays(text) == strays(summary([("a.jpg", one)], max(width, 60))) == []
    assert target.condition in flat(summary([("a.jpg", one)], 88))
    if one.probability is not None:
        assert f"1.8 % of such photographs show {target.condition}" in text
        assert f"of held-out {target.plural}" in text


def test_the_axis_says_for_what_where_it_fits():
    narrow, wide = printed(answer(), width=50), printed(answer(), width=88)
    assert "for melanoma" in wide
    assert "for melanoma" not in narrow
    assert re.search(r"against[|│]for$", narrow, re.MULTILINE)
    long = answer(target=custom_target("a_name_of_forty_letters_at_the_very_most", ("nevus",)))
    assert "for a name" not in printed(long, width=88)


def test_what_a_bundle_calls_its_target_is_shown_literally():
    target = replace(MELANOMA, condition="[red]x\x1b[31m", plural="\u202ey\x07")
    for text in (printed(answer(target=target)), summary([("a", answer(target=target))])):
        assert not [c for c in text if c != "\n" and not c.isprintable()]
        assert r"[red]x\x1b[31m" in text
