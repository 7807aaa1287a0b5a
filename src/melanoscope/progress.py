"""One progress display on stderr: decoding, then cells and epochs with the time left."""

from __future__ import annotations

from types import TracebackType

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


class RunProgress:
    """Shows a run in a terminal; elsewhere it writes one line per cell.

    The bar counts epochs over all cells; a cell that stops early gives its epochs back at once.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            # Networks differ in speed: an estimate over a long time wavers less.
            TimeRemainingColumn(compact=True),
            console=self.console,
            speed_estimate_period=600,
        )
        self.live = self.console.is_terminal and not quiet
        self.decode_task: TaskID | None = None
        self.run_task: TaskID | None = None
        self.where = ""
        self.position = (0, 0, 1)

    def __enter__(self) -> RunProgress:
        if self.live:
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:  # else it would print an empty line
            self.bar.stop()

    def decoding(self, done: int, total: int) -> None:
        """So many photographs are decoded or checked."""
        if self.decode_task is None:
            self.decode_task = self.bar.add_task("reading photographs", total=total, unit="")
        self.bar.update(self.decode_task, completed=done, total=total)
        if done == total and not self.live:
            self.console.print(f"read {total} photographs")

    def cell_begins(self, cell: object, index: int, total: int, epochs: int) -> None:
        """A cell begins; the index-th (from 0) of all."""
        name = getattr(cell, "name", str(cell))
        self.where = f"cell {index + 1}/{total} {name}"
        self.position = (index, total, epochs)
        if self.run_task is None:
            self.run_task = self.bar.add_task(
                self.where, total=(total - index) * epochs, unit="epochs"
            )
            self.first = index
        self.bar.update(
            self.run_task, description=self.where, completed=(index - self.first) * epochs
        )

    def epoch_ends(self, epoch: int, losses: dict[str, float]) -> None:
        """An epoch of the current cell is over."""
        index, _, epochs = self.position
        if self.run_task is not None:
            text = f"{self.where} epoch {epoch} loss {losses['val_loss']:.3f}"
            done = (index - self.first) * epochs + epoch
            self.bar.update(self.run_task, description=text, completed=done)

    def cell_ends(self, cell: object, auroc: float) -> None:  # noqa: ARG002 - named in `where`
        """The current cell is written."""
        index, _, epochs = self.position
        if self.run_task is not None:
            self.bar.update(self.run_task, completed=(index + 1 - self.first) * epochs)
        self.console.print(f"{self.where}: AUROC {auroc:.3f} on its test fold")
