"""`melanoscope.compare`: models by their predictions, whichever tool made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.api.result_table import ResultTable
from melanoscope.comparison.compare import compare_files
from melanoscope.comparison.results import ComparisonResults
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.stats.bootstrap.group_weights import REPLICATES
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.margin import MARGIN

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(ResultTable):
    """Models compared on the same photographs, the best first.

    Attributes:
        results: Everything that is computed, for whoever wants more than the table.
    """

    results: ComparisonResults

    def pairs(self, metric: str | None = None) -> pl.DataFrame:
        """Return every two models compared by a metric.

        Args:
            metric: Name of the metric; None for the primary one.

        Returns:
            Columns a, b, difference (a minus b) with low and high, p_value, p_holm,
            probability_better (confidence that a is better), p_equivalence and p_non_inferiority,
            both within the margin.
        """
        import polars as pl

        chosen = self.results.pairs.get(metric or self.results.primary, ())
        return pl.DataFrame(
            {
                "a": pair.a,
                "b": pair.b,
                "difference": pair.difference.estimate,
                "low": pair.difference.low,
                "high": pair.difference.high,
                "p_value": pair.p_value,
                "p_holm": pair.p_holm,
                "probability_better": pair.probability_better,
                "p_equivalence": pair.p_equivalence,
                "p_non_inferiority": pair.p_non_inferiority,
            }
            for pair in chosen
        )

    def save(self, folder: Path | str) -> Path:
        """Write the page, the document and the figures, as the command does; return the page."""
        from melanoscope.report.comparison_page import write_comparison

        return write_comparison(self.results, Path(folder))


def compare(
    predictions: Sequence[Path | str],
    *,
    truth: Path | str | None = None,
    positive: Sequence[str] | str = (),
    classes: Path | str | None = None,
    columns: str | None = None,
    subgroups: Sequence[str] = (),
    margin: float = MARGIN,
    threshold: float = 0.5,
    prevalence: float | None = None,
    replicates: int = REPLICATES,
) -> Comparison:
    r"""Compare models by their predictions of the same photographs.

    Args:
        predictions: Tables of predictions, CSV or Parquet, one for each model.
        truth: Table of the photographs: labels, patients, lesions, age, sex, site, center; or an
            archive, "KIND=PATH".
        positive: Classes that count as positive; none to tell all classes apart.
        classes: Table that names the numbers of classes.
        columns: "ours=theirs,ours=theirs", for columns that are not recognised.
        subgroups: Further columns of the truth to compare subgroups by.
        margin: Difference of the primary metric that would not matter, above 0.
        threshold: Probability from which a photograph is called positive, 0..1.
        prevalence: Share of positives for predictive values; None for that of the photographs.
        replicates: Number of replicates of the bootstrap, at least 100.

    Returns:
        The comparison as a table.

    Raises:
        DataError: Files that cannot be read or joined; says which, and where.
        StatisticsError: A number out of range, or predictions that allow no honest number.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, skill in (("one", 0.2), ("two", 0.6)):
    ...     rows = (f"i{k},{(k * 37 % 100) / 150 + skill * (k % 2) / 2},{k % 2}" for k in range(80))
    ...     text = "\n".join(["image_id,probability,target", *rows])
    ...     _ = (folder / f"{name}.csv").write_text(text)
    >>> files = [folder / "one.csv", folder / "two.csv"]
    >>> comparison = compare(files, positive="1", replicates=100)
    >>> comparison.models, comparison.metrics[0]
    (['two', 'one'], 'auroc')
    >>> comparison.pairs().select("a", "b").row(0)
    ('two', 'one')
    """
    results = compare_files(
        [Path(one) for one in predictions],
        truth=truth,
        positive=[positive] if isinstance(positive, str) else positive,
        classes=None if classes is None else Path(classes),
        columns=columns,
        subgroups=subgroups,
        settings=ComparisonSettings(
            margin=margin, threshold=threshold, prevalence=prevalence, replicates=replicates
        ),
    )
    known = results.intervals
    return Comparison(
        title=results.question,
        values={
            name: {
                metric: found if isinstance(found, Interval) else None
                for metric, found in known[name].items()
            }
            for name in results.names
        },
        results=results,
    )
