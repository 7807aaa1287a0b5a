"""Evaluations on other archives (`melanoscope evaluate`), read back for a run's report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from melanoscope.errors import RunError
from melanoscope.runs.files import read_json
from melanoscope.runs.reader import Run
from melanoscope.stats.intervals.interval import Interval

EVALUATION = "evaluation.json"


class _Carried(msgspec.Struct):
    internal: dict[str, Any] | None
    external: dict[str, Any] | None
    change: dict[str, Any] | None


class _Metrics(msgspec.Struct):
    auroc: _Carried


class _Overlap(msgspec.Struct):
    left_out: int


class _Document(msgspec.Struct):
    network: str
    target: str
    development: str
    archives: dict[str, int]
    photographs: int
    positives: int
    carried: _Metrics
    overlap: _Overlap


@dataclass(frozen=True, kw_only=True)
class ExternalResult:
    """A network of the run on archives that it was not developed on.

    Attributes:
        network: Its name, for readers.
        archives: Name of each archive -> number of photographs.
        photographs: Number of photographs in all.
        positives: Number of positives among them.
        left_out: Photographs that it was developed on, which were left out.
        internal: AUROC of its own test photographs; None where it was not measured.
        external: AUROC on these archives; None likewise.
        change: The latter minus the former; None where one is missing.
    """

    network: str
    archives: dict[str, int]
    photographs: int
    positives: int
    left_out: int
    internal: Interval | None
    external: Interval | None
    change: Interval | None

    @property
    def words(self) -> str:
        """The result for a checklist."""
        names = ", ".join(self.archives)
        found = self.external
        auroc = (
            f", AUROC {found.estimate:.3f} ({found.low:.3f} to {found.high:.3f})" if found else ""
        )
        return f"{names} ({self.network}, {self.photographs:,} photographs{auroc})"


def read_external(folder: Path, run: Run) -> ExternalResult:
    """Read an evaluation of one of a run's networks.

    Args:
        folder: Folder that `melanoscope evaluate` wrote.
        run: The run.

    Returns:
        The evaluation.

    Raises:
        RunError: No evaluation, or one of a network that was developed on other photographs.
    """
    path = folder / EVALUATION
    content = read_json(path)
    try:
        found = msgspec.convert(content, _Document)
        auroc = {
            name: None if values is None else Interval.from_dict(values)
            for name, values in msgspec.structs.asdict(found.carried.auroc).items()
        }
    except (msgspec.ValidationError, KeyError) as error:
        raise RunError(
            f"an evaluation in '{path}'", str(error), "run melanoscope evaluate again"
        ) from None
    if found.development != run.record.data.fingerprint:
        raise RunError(
            f"an evaluation of a network of '{run.path}'",
            f"one that was developed on other photographs, in '{path}'",
            f"run melanoscope evaluate {run.path}",
        )
    return ExternalResult(
        network=found.network,
        archives=found.archives,
        photographs=found.photographs,
        positives=found.positives,
        left_out=found.overlap.left_out,
        **auroc,
    )
