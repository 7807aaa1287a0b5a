"""`melanoscope.run_benchmark` and `read_run`: networks with and without transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.api.options import archives_of, cache_of, listed
from melanoscope.api.result_table import ResultTable
from melanoscope.runs.cell import parse_transfer
from melanoscope.runs.reader import read_run as open_run
from melanoscope.runs.results import RunResults
from melanoscope.target import MELANOMA
from melanoscope.training.config import TrainConfig

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False, kw_only=True)
class Run(ResultTable):
    """Networks of a run, the largest AUROC first.

    Attributes:
        results: Everything that is computed from the run.
    """

    results: RunResults

    @property
    def predictions(self) -> pl.DataFrame:
        """Test predictions of all networks, a row for each photograph and cell."""
        return self.results.run.predictions

    def save(self) -> Path:
        """Write RUN/report, as `melanoscope report` does; return the page."""
        from melanoscope.report.from_run import report_run

        return report_run(self.results.run.path, replicates=self.results.replicates).page


def read_run(folder: Path | str, *, replicates: int = RunResults.replicates) -> Run:
    """Read a run folder of `melanoscope benchmark`.

    Args:
        folder: The run folder.
        replicates: Number of replicates of the bootstrap.

    Returns:
        The complete networks of the run, each metric with the interval that the report gives.

    Raises:
        RunError: No run, or one whose files are damaged.
    """
    results = RunResults(run=open_run(Path(folder)), replicates=replicates)
    rows = sorted(results.summary.rows, key=lambda row: -row.estimate("auroc") if row.keys else 0.0)
    run = results.run
    return Run(
        title=f"{run.target.condition}, {run.configuration.folds} folds, {run.protocol} protocol",
        values={
            f"{row.backbone}, {row.transfer}": dict(sorted(row.intervals.items(), key=_primary))
            for row in rows
            if row.complete and row.keys
        },
        simulated=run.simulated,
        results=results,
    )


def run_benchmark(
    data: Sequence[str] | str,
    out: Path | str,
    *,
    backbones: Sequence[str] | str = (),
    transfer: Sequence[str] | str = ("scratch", "finetune"),
    target: str = MELANOMA.name,
    epochs: int = TrainConfig.epochs,
    batch_size: int = TrainConfig.batch_size,
    cache: Path | str | None = None,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Train and test every network on every fold; what is done already is not repeated.

    Args:
        data: Archives, "KIND=PATH".
        out: Run folder; an unfinished one goes on.
        backbones: Names of networks; none for the poster's eleven.
        transfer: Transfers to compare, of scratch, finetune, frozen, image_only.
        target: What to look for: "melanoma", "malignant", or "NAME=DIAGNOSIS,DIAGNOSIS".
        epochs: At most so many epochs a network.
        batch_size: Photographs a step.
        cache: Folder of decoded photographs; None for the user's cache.
        quiet: Whether no progress is shown.
        **options: Further fields of `BenchmarkConfig`: folds, repeats, seeds, image_size, seed,
            weights, protocol, near_duplicates, threads.

    Returns:
        The run.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be.
    """
    from melanoscope.benchmark.config import BenchmarkConfig
    from melanoscope.benchmark.run import run_benchmark as run_cells
    from melanoscope.data.targets import parse_target
    from melanoscope.models.backbones import POSTER
    from melanoscope.progress import RunProgress

    config = BenchmarkConfig(
        data=archives_of(data),
        backbones=listed(backbones) or tuple(POSTER),
        transfer=tuple(parse_transfer(name) for name in listed(transfer)),
        target=parse_target(target, MELANOMA.indeterminate),
        train=TrainConfig(epochs=epochs, batch_size=batch_size),
        **options,
    )
    with RunProgress(quiet=quiet) as progress:
        run_cells(config, Path(out), cache_of(cache), progress)
    return read_run(out)


def _primary(item: tuple[str, object]) -> bool:
    """Put AUROC first."""
    return item[0] != "auroc"
