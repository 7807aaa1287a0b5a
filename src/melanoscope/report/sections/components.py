"""What the uncertainty of each network's AUROC is made of: patients, division, training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.stats.intervals.auroc_interval import auroc_degrees_of_freedom
from melanoscope.stats.intervals.crossval_interval import Variance
from melanoscope.stats.variance_components import (
    DIVISION,
    PATIENTS,
    TOGETHER,
    TRAINING,
    Component,
    Narrowing,
    VarianceComponents,
    variance_components,
)

NAMES = {
    PATIENTS: "Patients",
    DIVISION: "Division into folds",
    TRAINING: "Training",
    TOGETHER: "Division and training",
}


@dataclass(frozen=True)
class NetworkComponents:
    """The components of one network's AUROC.

    Attributes:
        label: Name for readers.
        auroc: Mean AUROC over all cells.
        standard_error: Root of the sum of what can be shown.
        components: Source -> its component.
        deviations: Source -> standard deviation by one draw of it: estimate, low, high.
        shares: Source -> share of the variance of the mean, 0 to 1; None where nothing varies.
        one_more_repeat: Share by which the interval would narrow; None where that cannot be told.
        one_more_seed: The same, of one more training on each fold.
        more_patients: The same, of a fifth more patients.
    """

    label: str
    auroc: float
    standard_error: float
    components: dict[str, Component]
    deviations: dict[str, tuple[float, float, float]]
    shares: dict[str, float | None]
    one_more_repeat: Narrowing | None
    one_more_seed: Narrowing
    more_patients: Narrowing


def components_section(context: ReportContext) -> Section:
    """Divide the variance of all complete networks' mean AUROC, the best first.

    Args:
        context: The results of the run.

    Returns:
        The section.

    Raises:
        StatisticsError: The AUROC of no network has an interval.
    """
    networks, why = [], StatisticsError("a complete network", "none", "finish the run")
    for key in context.bootstrapped:
        try:
            networks.append(_network(context, key))
        except StatisticsError as error:  # of this network: the others stand
            why = error
    if not networks:
        raise why
    networks.sort(key=lambda network: -network.auroc)
    configuration = context.run.configuration
    numbers = {
        "folds": configuration.folds,
        "repeats": configuration.repeats,
        "seeds": configuration.seeds,
        "networks": networks,
        "sentence": _sentence(networks[0]),
    }
    content = numbers | {"names": {one: NAMES[one] for one in networks[0].components}}
    return Section("components", "What the uncertainty is made of", content, numbers)


def _network(context: ReportContext, key: RowKey) -> NetworkComponents:
    found = _components(context, key)
    by_source = {component.source: component for component in found.components}
    return NetworkComponents(
        label=context.label(key),
        auroc=found.mean,
        standard_error=float(np.sqrt(found.variance)),
        components=by_source,
        deviations={source: _deviations(one) for source, one in by_source.items()},
        shares={source: found.share(source) for source in by_source},
        one_more_repeat=found.by_repeat,
        one_more_seed=found.by_seed,
        more_patients=found.by_patients,
    )


def _components(context: ReportContext, key: RowKey) -> VarianceComponents:
    row = next(r for r in context.by_cells.rows if (r.backbone, r.transfer) == key)
    cells, asked = row.cells["auroc"], context.run.configuration
    shape = asked.repeats, asked.folds, asked.seeds
    return variance_components(
        np.reshape([cells[numbers] for numbers in sorted(cells)], shape),
        Variance(
            context.bootstrapped[key].variance("auroc"),
            auroc_degrees_of_freedom(context.predictions[key]),
        ),
        context.design(key),
    )


def _deviations(component: Component) -> tuple[float, float, float]:
    estimate, low, high = np.sqrt([component.variance, component.low, component.high]).tolist()
    return estimate, low, high


def _sentence(network: NetworkComponents) -> str:
    """Say of one network what its uncertainty is made of; empty where nothing varies."""
    parts = [
        f"{100 * share:.0f}\N{NO-BREAK SPACE}% {NAMES[source].lower()}"
        for source, share in network.shares.items()
        if share is not None
    ]
    if not parts:
        return ""
    if network.one_more_repeat is None:
        parts.append("with one division nothing can be said of another")
    return f"What the uncertainty of {network.label} is made of: {', '.join(parts)}."
