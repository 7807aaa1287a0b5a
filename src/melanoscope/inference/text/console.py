"""The answer in a terminal: first in plain words, then with what it rests on.

It reads well in 60 columns, without colour, and in a pipe. All that comes from a file or a bundle
(names, labels, advice) is written out literally: nothing of it acts as markup or as an escape code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.inference.explain.colormap import AGAINST, FOR
from melanoscope.inference.text import phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from melanoscope.inference.result import Decision, Diagnosis

_WIDEST = 88
_STYLES = {"accepted": "green", "doubtful": "bold yellow", "refused": "bold red", "error": "red"}
_FOR, _AGAINST = (f"rgb({red},{green},{blue})" for red, green, blue in (FOR, AGAINST))
_ADVICE = (
    f"{phrases.HONESTY} A photograph is no examination: show a lesion that changes, bleeds or "
    "worries you to a doctor, whatever is said here."
)
# Stands for the space of "12 %" while lines are broken; `literal` lets none through from outside.
_GLUE = "\ue000"


def print_diagnosis(console: Console, diagnosis: Diagnosis, photograph_name: str) -> None:
    """Print one answer.

    Args:
        console: Where to; its width counts, up to 88 columns.
        diagnosis: What was answered.
        photograph_name: Of the photograph; any characters.
    """
    page = _Page(console)
    page.say(photograph_name, style="dim")
    main = "bold red" if diagnosis.decisions and diagnosis.decisions[0].positive else "bold"
    page.say(phrases.headline(diagnosis), style=main)
    page.say(phrases.caution(diagnosis))
    if diagnosis.simulated:
        page.say(phrases.SIMULATED, style="bold red")
    if diagnosis.forced:
        page.say(phrases.FORCED, style="bold red")
    if diagnosis.probability is not None:
        page.item("Probability", phrases.chances(diagnosis))
    _print_status(page, diagnosis)
    _print_decisions(page, diagnosis.decisions)
    if diagnosis.standing is not None:
        page.item("Standing", phrases.standing(diagnosis.standing))
    _print_sum(page, diagnosis)
    page.gap()
    page.say(_ADVICE, style="dim")


def print_summary(console: Console, answers: Sequence[tuple[str, Diagnosis | str]]) -> None:
    """Print several answers as a compact table, in the order given.

    Args:
        console: As `print_diagnosis`.
        answers: Name of each photograph, and its answer or the line that says why there is none.
    """
    from rich.cells import cell_len

    page = _Page(console)
    names = [page.shown(name) for name, _ in answers]
    column = max([len("photograph"), *(cell_len(name) for name in names)])
    column = min(column, page.width - 39)
    page.row("photograph", column, "status", "probability", "main threshold")
    for name, (_, one) in zip(names, answers, strict=True):
        if isinstance(one, str):
            page.row(name, column, "error", "", "")
            page.say(one, indent=4, style="red")
            continue
        chance = "" if one.probability is None else phrases.percent(one.probability)
        called = ""
        if one.decisions:
            called = "suspicious" if one.decisions[0].positive else "not suspicious"
        page.row(name, column, one.status, chance, called)
        for concern in one.concerns:
            page.say(f"{concern.kind}: {concern.found}", indent=4, style="dim")
    page.gap()
    _print_counts(page, [one for _, one in answers])
    page.say(_ADVICE, style="dim")


class _Page:
    """Writes lines that fit, with no escape code but the console's own."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(max(console.width, 40), _WIDEST)
        self.plain = console.options.ascii_only or console.legacy_windows

    def shown(self, words: str) -> str:
        """Spell out what could act, and what the stream cannot encode."""
        encoding = self.console.encoding or "utf-8"
        return phrases.literal(words).encode(encoding, "backslashreplace").decode(encoding)

    def say(self, words: str, *, indent: int = 0, first: str = "", style: str = "") -> None:
        """Print a paragraph; `first` stands in the indent of its first line."""
        from rich.text import Text

        safe = self.shown(words).replace(" %", f"{_GLUE}%")
        for number, line in enumerate(Text(safe).wrap(self.console, self.width - indent)):
            lead = self.shown(first) if number == 0 else ""
            content = line.plain.rstrip().replace(_GLUE, " ")
            self.line(Text(lead.ljust(indent)), Text(content, style=style))

    def line(self, *pieces: object) -> None:
        """Print one line as it is."""
        from rich.text import Text

        joined = Text.assemble(*pieces)  # type: ignore[arg-type]
        joined.rstrip()
        self.console.print(joined, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def gap(self) -> None:
        """Print an empty line."""
        self.line("")

    def item(self, name: str, words: str, *, style: str = "") -> None:
        """Print a named paragraph after an empty line."""
        self.gap()
        self.say(words, indent=13, first=name, style=style)

    def row(self, name: str, column: int, status: str, chance: str, called: str) -> None:
        """Print a row of the summary; a name too long for its column has lines of its own."""
        from rich.cells import cell_len

        if cell_len(name) > column:
            self.say(name)
            name = ""
        padded = name + " " * (column - cell_len(name))
        self.line(
            padded, "  ", (f"{status:<8}", _STYLES.get(status, "")), f"  {chance:>11}  {called}"
        )


def _print_status(page: _Page, diagnosis: Diagnosis) -> None:
    page.item("Photograph", diagnosis.status, style=_STYLES[diagnosis.status])
    for one in diagnosis.concerns:
        page.say(f"{one.kind}: {one.found}", indent=15, first=" " * 13 + "-")
        page.say(one.advice, indent=15)
    if diagnosis.status == "refused":
        page.say("To have an answer all the same, with that doubt: --force", indent=13)


def _print_decisions(page: _Page, decisions: Sequence[Decision]) -> None:
    for number, one in enumerate(decisions):
        if number == 0:
            page.gap()
        first = "Thresholds" if number == 0 else ""
        style = "bold" if one.positive else ""
        page.say(phrases.decision(one), indent=13, first=first, style=style)
        page.say(one.meaning, indent=15)
        if one.sensitivity is not None:
            page.say(phrases.measured("finds", one.sensitivity, "melanomas"), indent=15)
        if one.specificity is not None:
            page.say(phrases.measured("spares", one.specificity, "others"), indent=15)
    if any(one.sensitivity or one.specificity for one in decisions):
        page.say("(95 % intervals; n counts patients or lesions)", indent=13, style="dim")


def _print_sum(page: _Page, diagnosis: Diagnosis) -> None:
    """Print the logit as the sum it is, a bar for each addend."""
    if diagnosis.evidence is None:
        return
    logit = diagnosis.evidence.logit
    addends = phrases.parts(diagnosis.evidence, diagnosis.person)
    decimals, holds = phrases.digits([value for _, value in addends], logit)
    rows = [*addends, ("= logit", logit)]
    largest = max(abs(value) for _, value in rows) or 1.0
    numbers = [phrases.signed(value, decimals) for _, value in rows]
    names, digits = 23, max(len(number) for number in numbers)
    half = min((page.width - names - digits - 5) // 2, 18)
    # Where the terminal is too narrow for bars, the numbers stand alone.
    drawn = half >= len("against")
    page.gap()
    page.say("The exact sum behind the answer")
    if drawn:
        speaks_for = "for melanoma" if half >= len("for melanoma") else "for"
        start = " " * (names + digits + 4)
        page.line(start, ("against".rjust(half), _AGAINST), _axis(page), (speaks_for, _FOR))
    for (name, value), number in zip(rows, numbers, strict=True):
        if name == "= logit":
            long = names + digits + (3 + 2 * half if drawn else 0)
            page.line("  " + ("-" if page.plain else "─") * long)
        left, right = bars(value / largest, half if drawn else 0, plain=page.plain)
        pieces = ("  ", (left, _AGAINST), _axis(page), (right, _FOR)) if drawn else ()
        page.line(f"  {name:<{names}}{number:>{digits}}", *pieces)
    if not holds:
        page.say(phrases.ROUNDED, indent=2)


def _axis(page: _Page) -> str:
    """Return the line that bars start from."""
    return "|" if page.plain else "│"


def bars(share: float, half: int, *, plain: bool) -> tuple[str, str]:
    """Draw a bar to the left of an axis (below 0) or to its right, to half a column.

    Args:
        share: -1 to 1.
        half: Columns on either side.
        plain: Whether only ASCII can be shown; then to a whole column.

    Returns:
        What stands left and right of the axis, `half` columns each.

    >>> bars(-0.5, 4, plain=True), bars(0.25, 4, plain=True)
    (('  ##', '    '), ('    ', '#   '))
    """
    if plain:
        drawn = "#" * round(abs(share) * half)
    else:
        halves = round(abs(share) * half * 2)
        drawn = "█" * (halves // 2)
        if halves % 2:
            drawn = "▐" + drawn if share < 0 else drawn + "▌"
    if share < 0:
        return drawn.rjust(half), " " * half
    return " " * half, drawn.ljust(half)


def _print_counts(page: _Page, answers: Sequence[Diagnosis | str]) -> None:
    known = [one for one in answers if not isinstance(one, str)]
    states = [one.status for one in known]
    counts = [f"{states.count(state)} {state}" for state in ("accepted", "doubtful", "refused")]
    counts += [f"{len(answers) - len(known)} in error"]
    of = "1 photograph" if len(answers) == 1 else f"{len(answers)} photographs"
    page.say(f"{of}: {', '.join(counts)}.")
    if any(one.simulated for one in known):
        page.say(phrases.SIMULATED, style="bold red")
    for share in sorted({one.prevalence for one in known}):
        page.say(
            f"Probabilities assume that {phrases.percent(share)} of such photographs show melanoma."
        )
