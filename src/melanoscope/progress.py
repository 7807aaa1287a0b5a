"""Progress on stderr: of a run decoding, then cells and epochs with the time left; or one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from melanoscope.errors import one_line


class RunProgress:
    """Progress of a run: bars in a terminal, elsewhere one line per cell.

    The bar counts epochs over all cells; a cell that stops early gives its epochs back at once.

    Args:
        quiet: Whether nothing is shown at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(
            stderr=True, quiet=quiet, markup=False, emoji=False, highlight=False
        )
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            # Networks differ in speed: an estimate over a long time wavers less.
            TimeRemainingColumn(compact=True),
            console=self._console,
            speed_estimate_period=600,
        )
        self._live = self._console.is_terminal and not quiet
        self._decode_task: TaskID | None = None
        self._epoch_task: TaskID | None = None
        self._description = ""
        self._first_cell = self._cell = 0
        self._epochs = 1

    def __enter__(self) -> RunProgress:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:  # else it would print an empty line
            self._bar.stop()

    def decoding(self, done: int, total: int) -> None:
        """Show that `done` of `total` photographs are decoded or checked."""
        if self._decode_task is None:
            self._decode_task = self._bar.add_task("reading photographs", total=total, unit="")
        self._bar.update(self._decode_task, completed=done, total=total)
        if done == total and not self._live:
            self._console.print(f"read {total} photographs")

    def cell_begins(self, name: str, index: int, total: int, epochs: int) -> None:
        """Show that a cell begins.

        Args:
            name: Name of the cell.
            index: Its place among all cells of the run, from 0; earlier ones are done.
            total: Number of cells of the run.
            epochs: Number of epochs that it takes at most.
        """
        self._description = one_line(f"cell {index + 1}/{total} {name}")
        self._cell, self._epochs = index, epochs
        if self._epoch_task is None:
            self._first_cell = index
            self._epoch_task = self._bar.add_task(
                self._description, total=(total - index) * epochs, unit="epochs"
            )
        self._update(self._description, epoch=0)

    def cell_resumes(self, epoch: int) -> None:
        """Show that the current cell goes on after an `epoch` that an earlier process trained."""
        self._update(f"{self._description} epoch {epoch}", epoch)
        self._console.print(f"{self._description}: goes on after epoch {epoch}")

    def epoch_ends(self, epoch: int, losses: dict[str, float]) -> None:
        """Show that an `epoch` of the current cell, from 1, is over, and its "val_loss"."""
        self._update(f"{self._description} epoch {epoch} loss {losses['val_loss']:.3f}", epoch)

    def cell_ends(self, auroc: float) -> None:
        """Show that the current cell is written, and its `auroc` on its test photographs."""
        self._update(None, self._epochs)
        self._console.print(f"{self._description}: AUROC {auroc:.3f} on its test fold")

    def _update(self, description: str | None, epoch: int) -> None:
        if self._epoch_task is not None:
            done = (self._cell - self._first_cell) * self._epochs + epoch
            self._bar.update(self._epoch_task, description=description, completed=done)


@contextmanager
def status_line(text: str) -> Iterator[Callable[[str], None]]:
    """Show one line that changes, for work without a known end; nothing but in a terminal.

    Args:
        text: What the line says at first.

    Yields:
        What changes the line.
    """
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(one_line(text)) as status:
        yield lambda line: status.update(one_line(line))
