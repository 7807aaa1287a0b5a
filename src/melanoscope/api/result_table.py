"""Results as a table: for polars, pandas, matplotlib and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from melanoscope.errors import MelanoscopeError, nearest, one_line
from melanoscope.inference.result import DISCLAIMER
from melanoscope.stats.intervals.interval import Interval

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from matplotlib.axes import Axes

_COLUMNS = ("estimate", "low", "high", "standard_error", "n", "unit", "method")


@dataclass(frozen=True, eq=False, kw_only=True)
class ResultTable:
    """Metrics of several models, each with its interval.

    Attributes:
        title: What the table is of, for readers.
        values: Model -> metric -> its interval, or None where there is none; in the order of the
            table, the primary metric first.
        simulated: Whether the photographs are simulated and say nothing about skin.

    >>> from melanoscope.stats.intervals.proportion import wilson_interval
    >>> table = ResultTable(title="two", values={"a": {"accuracy": wilson_interval(8, 10)}})
    >>> table.to_polars().select("model", "metric", "estimate").row(0)
    ('a', 'accuracy', 0.8)
    """

    title: str
    values: Mapping[str, Mapping[str, Interval | None]]
    simulated: bool = False

    @property
    def models(self) -> list[str]:
        """Names of the models, in the order of the table."""
        return list(self.values)

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the metrics, the primary one first."""
        return list(dict.fromkeys(metric for one in self.values.values() for metric in one))

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each model and metric.

        Returns:
            Columns model, metric, estimate, low, high (the 95 % interval), standard_error, n, unit
            and method; all but the first two null where there is no interval.
        """
        import polars as pl

        kinds = dict.fromkeys(("model", "metric", "unit", "method"), pl.String())
        numbers = dict.fromkeys(("estimate", "low", "high", "standard_error"), pl.Float64())
        order = ("model", "metric", *_COLUMNS)
        known = kinds | numbers | {"n": pl.Int64()}
        return pl.DataFrame(self._rows(), schema={name: known[name] for name in order})

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_polars` returns, as a data frame of pandas, which must be installed."""
        try:
            import pandas as pd
        except ModuleNotFoundError:
            raise MelanoscopeError(
                "the package pandas", "none", "pip install pandas, or use to_polars()"
            ) from None
        return pd.DataFrame(self._rows(), columns=["model", "metric", *_COLUMNS])

    def plot(self, metric: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw a metric of each model with its 95 % interval.

        Args:
            metric: Name of the metric; None for the primary one.
            ax: Axes to draw on; None for new ones.

        Returns:
            The axes.

        Raises:
            MelanoscopeError: No such metric.
        """
        import matplotlib.pyplot as plt

        from melanoscope.report.figures.style import SIMULATED

        name = self.metrics[0] if metric is None else metric
        if name not in self.metrics:
            raise MelanoscopeError("a metric of the table", name, nearest(name, self.metrics))
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 1.2 + 0.32 * len(self.models)), layout="constrained")
        for y, model in enumerate(self.models):
            found = self.values[model].get(name)
            if found is not None:
                ax.plot([found.low, found.high], [y, y], color="#0072B2", linewidth=1.8)
                ax.plot(found.estimate, y, "o", color="#0072B2")
        # Names of models are text: a "$" in them would begin a formula.
        names = [one_line(model) for model in self.models]
        ax.set_yticks(range(len(names)), names, parse_math=False)
        ax.set(ylim=(len(names) - 0.5, -0.5), xlabel=name.replace("_", " "))
        ax.set_title(SIMULATED if self.simulated else self.title, fontsize=10, parse_math=False)
        return ax

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"model": model, "metric": metric}
            | ({} if found is None else {name: getattr(found, name) for name in _COLUMNS})
            for model, metrics in self.values.items()
            for metric, found in metrics.items()
        ]

    def _repr_html_(self) -> str:
        """Return the table as notebooks show it."""
        cell = Markup("<td>{}</td>").format
        head = Markup("").join(Markup("<th>{}</th>").format(name) for name in ["", *self.metrics])
        rows = Markup("").join(
            Markup("<tr><th>{}</th>{}</tr>").format(
                one_line(model),
                Markup("").join(cell(_text(metrics.get(name))) for name in self.metrics),
            )
            for model, metrics in self.values.items()
        )
        said = "Simulated: says nothing about skin. " if self.simulated else ""
        return str(
            Markup(
                "<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
            ).format(self.title, head, rows)
            + Markup("<p><small>{}{}</small></p>").format(said, DISCLAIMER)
        )


def _text(interval: Interval | None) -> str:
    if interval is None:
        return "\N{EN DASH}"
    return f"{interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"
