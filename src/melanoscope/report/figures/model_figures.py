"""The figures of a comparison of models: distances to the best, ROC curves, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from melanoscope.comparison.evidence import ComparisonEvidence, ModelEvidence
from melanoscope.comparison.results import ComparisonResults
from melanoscope.errors import StatisticsError, one_line
from melanoscope.report.figures.calibration_figure import CalibrationPanel, calibration_figure
from melanoscope.report.figures.distances import distances_figure
from melanoscope.report.figures.model_curves import roc_panels
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.stats.calibration.calibration_error import calibration_bins
from melanoscope.stats.calibration.flexible_curve import FlexibleCurve, flexible_curve
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.roc_band import roc_band
from melanoscope.stats.predictions import Predictions


@dataclass(frozen=True)
class _Compared:
    """A model as the figure of distances wants it."""

    label: str
    distance: Interval
    may_be_best: bool
    non_inferior: bool

    @classmethod
    def of(cls, one: ModelEvidence) -> _Compared:
        """Return a model that has been compared with others."""
        assert one.distance is not None  # noqa: S101 - it is one of several
        return cls(one.label, one.distance, one.may_be_best, one.non_inferior)


def comparison_figures(
    results: ComparisonResults, evidence: ComparisonEvidence
) -> dict[str, ReportFigure]:
    """Draw a comparison of models.

    Args:
        results: What was compared.
        evidence: What it says.

    Returns:
        "distances" of several models; "roc" and "calibration" of a binary question.
    """
    figures = {}
    if len(evidence.models) > 1:
        figures["distances"] = distances_figure(
            [_Compared.of(one) for one in evidence.models],
            results.settings.margin,
            metric="AUROC" if results.joined.is_binary else "Balanced accuracy",
            what="model",
            simulated=False,
        )
    ordered = {name: results.predictions[name] for name in results.names}
    binary = {name: one for name, one in ordered.items() if isinstance(one, Predictions)}
    if binary:
        bands = {name: roc_band(one, results.weights) for name, one in binary.items()}
        figures["roc"] = roc_panels(bands)
        figures["calibration"] = calibration_panels(
            binary, results.positives, widening=results.design.factor
        )
    return figures


def calibration_panels(
    models: Mapping[str, Predictions], positives: str, *, widening: float, simulated: bool = False
) -> ReportFigure:
    """Draw the calibration curve of each of `models`, named for readers as are the `positives`."""
    panels = [
        CalibrationPanel(
            one_line(name),
            one.target,
            one.probability,
            tuple(calibration_bins(one.target, one.probability)),
            _curve(one, widening),
        )
        for name, one in models.items()
    ]
    return ReportFigure(
        name="calibration",
        figure=calibration_figure(panels, "positives", simulated=simulated),
        alt="Observed share against predicted probability of each model.",
        caption="Calibration curves: logistic regression of the outcome on a restricted cubic "
        "spline of the logit, with a 95 % band for each point by itself. Dots: means of bins of "
        f"equal size. Below: the probabilities, as a share of all {positives} (upwards) and of "
        "all others (downwards); heights are its square roots.",
    )


def _curve(one: Predictions, widening: float) -> FlexibleCurve | str:
    try:
        return flexible_curve(one.target, one.probability, one.group, widening=widening)
    except StatisticsError as error:
        return str(error)
