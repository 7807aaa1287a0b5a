"""A diagnosis in a terminal: first in plain words, then with what it rests on.

It reads well in 60 columns, without color, and in a pipe. All that comes from a file or a bundle
(names, labels, advice) is written out literally: nothing of it acts as markup or as an escape code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from melanoscope.inference.explain.colormap import AGAINST, FOR
from melanoscope.inference.text import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from melanoscope.inference.result import Diagnosis

_MIN_WIDTH, _MAX_WIDTH = 40, 88
_NAMES = 23  # columns for the names of the sum
_STYLES = {"accepted": "green", "doubtful": "bold yellow", "refused": "bold red", "error": "red"}
_FOR, _AGAINST = (f"rgb({red},{green},{blue})" for red, green, blue in (FOR, AGAINST))
_CLOSING = (
    f"{phrases.NOT_A_DEVICE} A photograph is no examination: show a lesion that changes, bleeds or "
    "worries you to a doctor, whatever is said here."
)
# Stands for the space of "12 %" while lines are broken; `literal` lets none through from outside.
_GLUE = "\ue000"


def print_diagnosis(console: Console, diagnosis: Diagnosis, photograph_name: str) -> None:
    """Print one diagnosis on 40 to 88 columns, as the console's width allows."""
    printer = _Printer(console)
    positive = bool(diagnosis.decisions) and diagnosis.decisions[0].positive
    printer.print(photograph_name, style="dim")
    printer.print(phrases.headline(diagnosis), style="bold red" if positive else "bold")
    printer.print(phrases.caution(diagnosis))
    if diagnosis.simulated:
        printer.print(phrases.SIMULATED, style="bold red")
    if diagnosis.forced:
        printer.print(phrases.FORCED, style="bold red")
    if diagnosis.probability is not None:
        printer.print_item("Probability", printer.text(phrases.probability(diagnosis)))
    printer.print_item("Photograph", *_status(printer, diagnosis))
    if diagnosis.decisions:
        printer.print_item("Thresholds", *_thresholds(printer, diagnosis))
    if diagnosis.standing is not None:
        standing = phrases.standing(diagnosis.standing, diagnosis.target)
        printer.print_item("Standing", printer.text(standing))
    _print_sum(printer, diagnosis)
    printer.print("")
    printer.print(_CLOSING, style="dim")


def print_summary(console: Console, answers: Sequence[tuple[str, Diagnosis | str]]) -> None:
    """Print each photograph's diagnosis, or the line that says why there is none, as a table."""
    printer = _Printer(console)
    names = [printer.text(name) for name, _ in answers]
    width = max([len("photograph"), *(cell_len(name.plain) for name in names)])
    width = min(width, printer.width - 39)  # what the other columns leave
    printer.print(_row(width, Text("photograph"), "status", "probability", "main threshold"))
    for name, (_, answer) in zip(names, answers, strict=True):
        if cell_len(name.plain) > width:  # has lines of its own
            printer.print(name)
            name = Text()
        if isinstance(answer, str):
            printer.print(_row(width, name, "error"))
            printer.print(Padding.indent(printer.text(answer, "red"), 4))
            continue
        probability = "" if answer.probability is None else phrases.percent(answer.probability)
        called = ""
        if answer.decisions:
            called = "suspicious" if answer.decisions[0].positive else "not suspicious"
        printer.print(_row(width, name, answer.status, probability, called))
        for issue in answer.concerns:
            printer.print(Padding.indent(printer.text(f"{issue.kind}: {issue.found}", "dim"), 4))
    printer.print("")
    _print_counts(printer, [answer for _, answer in answers])
    printer.print(_CLOSING, style="dim")


def diverging_bar(share: float, half: int, *, ascii_only: bool) -> tuple[str, str]:
    """Return what stands left and right of an axis, `half` columns each, for -1 <= `share` <= 1."""
    if ascii_only:
        bar = "#" * round(abs(share) * half)
    else:
        halves = round(abs(share) * half * 2)
        bar = "█" * (halves // 2)
        if halves % 2:
            bar = "▐" + bar if share < 0 else bar + "▌"
    if share < 0:
        return bar.rjust(half), " " * half
    return " " * half, bar.ljust(half)


class _Printer:
    """Prints lines that fit, with no escape code but the console's own."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = min(max(console.width, _MIN_WIDTH), _MAX_WIDTH)
        self.ascii_only = console.options.ascii_only or console.legacy_windows

    def text(self, words: str, style: str = "") -> Text:
        """Return words with what could act, and what the stream cannot encode, spelt out."""
        encoding = self._console.encoding or "utf-8"
        safe = phrases.literal(words).encode(encoding, "backslashreplace").decode(encoding)
        return Text(safe.replace(" %", f"{_GLUE}%"), style, overflow="fold")

    def print(self, content: str | RenderableType, style: str = "") -> None:
        """Print words or a renderable, wrapped; lines end without spaces."""
        renderable = self.text(content, style) if isinstance(content, str) else content
        options = self._console.options.update(width=self.width)
        for segments in self._console.render_lines(renderable, options, pad=False):
            line = Text.assemble(
                *((part.text.replace(_GLUE, " "), part.style or "") for part in segments)
            )
            line.rstrip()
            self._console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def print_item(self, name: str, *content: RenderableType) -> None:
        """Print what belongs to a name beside it, after an empty line."""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=12)
        grid.add_row(Text(name), Group(*content))
        self.print("")
        self.print(grid)


def _row(
    width: int, name: Text, status: str, probability: str = "", called: str = ""
) -> RenderableType:
    """Return a row of the summary, with a first column of `width`."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=width)
    grid.add_column(width=8)
    grid.add_column(width=11, justify="right")
    grid.add_row(name, Text(status, _STYLES.get(status, "")), Text(probability), Text(called))
    return grid


def _status(printer: _Printer, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield Text(diagnosis.status, _STYLES[diagnosis.status])
    for issue in diagnosis.concerns:
        grid = Table.grid(padding=(0, 1, 0, 0))
        found = printer.text(f"{issue.kind}: {issue.found}")
        grid.add_row(Text("-"), Group(found, printer.text(issue.advice)))
        yield grid
    if diagnosis.status == "refused" and diagnosis.can_be_forced:
        yield Text("To have an answer all the same, with that doubt: --force")


def _thresholds(printer: _Printer, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    decisions, target = diagnosis.decisions, diagnosis.target
    for decision in decisions:
        yield printer.text(phrases.decision(decision), "bold" if decision.positive else "")
        yield Padding.indent(printer.text(decision.meaning), 2)
        for name in ("sensitivity", "specificity"):
            share = getattr(decision, name)
            if share is not None:
                yield Padding.indent(printer.text(phrases.measured_share(name, share, target)), 2)
    if any(decision.sensitivity or decision.specificity for decision in decisions):
        yield printer.text("(95 % intervals; n counts patients or lesions)", "dim")


def _print_sum(printer: _Printer, diagnosis: Diagnosis) -> None:
    """Print the logit as the sum it is, a bar for each addend."""
    if diagnosis.evidence is None:
        return
    rows, decimals, holds = phrases.evidence_rows(diagnosis.evidence, diagnosis.person)
    largest = max(abs(value) for _, value in rows) or 1.0
    numbers = [phrases.signed(value, decimals) for _, value in rows]
    digits = max(len(number) for number in numbers)
    half = min((printer.width - _NAMES - digits - 5) // 2, 18)
    # Where the terminal is too narrow for bars, the numbers stand alone.
    with_bars = half >= len("against")
    axis = "|" if printer.ascii_only else "│"

    def bar(left: str, right: str) -> Text:
        return Text.assemble("  ", (left, _AGAINST), axis, (right, _FOR)) if with_bars else Text()

    grid = Table.grid()
    grid.add_column(width=_NAMES)
    grid.add_column(width=digits, justify="right")
    if with_bars:
        speaks_for = printer.text(f"for {diagnosis.target.condition}").plain
        fits = cell_len(speaks_for) <= half
        grid.add_row("", "", bar("against".rjust(half), speaks_for if fits else "for"))
    for (name, value), number in zip(rows, numbers, strict=True):
        if (name, value) == rows[-1]:
            grid.add_row(*[Rule(characters="-" if printer.ascii_only else "─", style="")] * 3)
        halves = diverging_bar(value / largest, half, ascii_only=printer.ascii_only)
        grid.add_row(Text(name), Text(number), bar(*halves))
    printer.print("")
    printer.print("The exact sum behind the answer")
    printer.print(Padding.indent(grid, 2))
    if not holds:
        printer.print(Padding.indent(Text(phrases.ROUNDED), 2))


def _print_counts(printer: _Printer, answers: Sequence[Diagnosis | str]) -> None:
    diagnoses = [answer for answer in answers if not isinstance(answer, str)]
    states = [diagnosis.status for diagnosis in diagnoses]
    counts = [f"{states.count(state)} {state}" for state in ("accepted", "doubtful", "refused")]
    counts += [f"{len(answers) - len(diagnoses)} in error"]
    of = "1 photograph" if len(answers) == 1 else f"{len(answers)} photographs"
    printer.print(f"{of}: {', '.join(counts)}.")
    if any(diagnosis.simulated for diagnosis in diagnoses):
        printer.print(phrases.SIMULATED, style="bold red")
    for share, condition in sorted({(one.prevalence, one.target.condition) for one in diagnoses}):
        printer.print(
            f"Probabilities assume that {phrases.percent(share)} of such photographs show "
            f"{condition}."
        )
