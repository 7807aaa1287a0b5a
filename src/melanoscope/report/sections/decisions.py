"""What the best network would decide: operating points and the decision curve at a prevalence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from melanoscope.report.context import ReportContext
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import MUTED, mark_simulated, styled
from melanoscope.report.sections.calibration import calibrated_predictions
from melanoscope.report.sections.section import Section
from melanoscope.stats.arrays import Floats
from melanoscope.stats.calibration.temperature_scaling import to_prevalence
from melanoscope.stats.metrics.decision_curve import DecisionCurve, decision_curve
from melanoscope.stats.metrics.operating_points import operating_point
from melanoscope.stats.metrics.thresholds import (
    GuaranteedThreshold,
    percent_at_least,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.stats.reference.poster_protocol import THRESHOLD

SENSITIVITY = 0.95
_RISKS = np.round(np.arange(0.002, 0.2001, 0.002), 3)


def decisions_section(context: ReportContext) -> Section | None:
    """Test the best network at thresholds chosen on validation photographs."""
    if context.best is None:
        return None
    validation = context.validation(context.best)
    predictions, prevalence = context.predictions[context.best], context.assumed_prevalence
    widening = context.design(context.best).factor
    guaranteed = _guaranteed(validation)
    points = [
        operating_point(
            predictions,
            name=name,
            threshold=threshold,
            prevalence=prevalence,
            widening=widening,
        )
        for name, threshold in _thresholds(context, predictions, validation, guaranteed).items()
    ]
    scaled = calibrated_predictions(context, context.best)
    sample = float(validation.target.mean())
    moved = scaled.with_probability(to_prevalence(scaled.probability, sample, prevalence))
    curve = decision_curve(moved, prevalence=prevalence, thresholds=_RISKS, widening=widening)
    of_data = context.prevalence is None and not context.as_published
    numbers = {
        "network": context.label(context.best),
        "prevalence": prevalence,
        "prevalence_of_data": of_data,
        "sample_prevalence": float(predictions.target.mean()),
        "points": points,
        "wanted_sensitivity": SENSITIVITY,
        "guaranteed_sensitivity": min(found.guaranteed for found in guaranteed.values()),
        "useful_runs": curve.useful_runs(),
        "risks": [float(_RISKS[0]), float(_RISKS[-1])],
        "widening": widening,
    }
    figure = ReportFigure(
        name="decision_curve",
        figure=_curve_figure(curve, simulated=context.run.simulated),
        alt="Net benefit of the network, of treating all and of treating nobody, by risk "
        "threshold.",
        caption="Decision curve (Vickers & Elkin 2006) at the "
        + ("prevalence of the data" if of_data else "stated prevalence")
        + ": net benefit in "
        "true positives per 1,000 people, with its 95 % band over groups, widened for "
        "cross-validation; it holds at each risk by itself (pointwise). Probabilities are "
        "calibrated on validation photographs and moved to the prevalence. Above both other lines "
        "the network does more good than treating all or nobody, if lesions are as in these "
        "archives.",
    )
    return Section("decisions", "Operating points", numbers, numbers, (figure,))


def _guaranteed(validation: Predictions) -> dict[int, GuaranteedThreshold]:
    """Return each fold's threshold for a guaranteed sensitivity, by its validation photographs."""
    found = {}
    for fold_id in validation.fold_ids.tolist():
        rows = validation.where(validation.fold_id == fold_id)
        found[fold_id] = threshold_for_sensitivity(
            rows.target, rows.probability, rows.group, SENSITIVITY
        )
    return found


def _thresholds(
    context: ReportContext,
    predictions: Predictions,
    validation: Predictions,
    guaranteed: Mapping[int, GuaranteedThreshold],
) -> dict[str, Floats]:
    """Return each purpose's threshold per test prediction, chosen fold by fold on validation."""

    def of_each(by_fold: Mapping[int, float]) -> Floats:
        return np.array([by_fold[fold_id] for fold_id in predictions.fold_id.tolist()])

    least = min(SENSITIVITY, *(found.guaranteed for found in guaranteed.values()))
    thresholds = {
        f"Sensitivity, at least {percent_at_least(least)}": of_each(
            {fold_id: found.threshold for fold_id, found in guaranteed.items()}
        )
    }
    if context.as_published:
        specificity = DERMATOLOGISTS.specificity
        by_fold = {
            fold_id: threshold_for_specificity(rows.target, rows.probability, specificity)
            for fold_id in guaranteed
            for rows in [validation.where(validation.fold_id == fold_id)]
        }
        thresholds[f"Specificity of dermatologists, {100 * specificity:.1f} %"] = of_each(by_fold)
    thresholds["Highest F1 on validation (as in the tables)"] = predictions.threshold
    half = "0.5, as in the poster" if context.as_published else "0.5"
    return thresholds | {half: np.full(predictions.target.size, THRESHOLD)}


def _curve_figure(curve: DecisionCurve, *, simulated: bool) -> Figure:
    with styled():
        figure = Figure(figsize=(7.2, 3.9), layout="constrained")
        axes = figure.subplots()
        scale, x = 1000, 100 * curve.threshold
        axes.fill_between(x, scale * curve.low, scale * curve.high, color="#0072B2", alpha=0.18)
        axes.plot(x, scale * curve.network, color="#0072B2", label="the network")
        axes.plot(x, scale * curve.treat_all, color="#D55E00", linestyle="--", label="treat all")
        axes.axhline(0, color=MUTED, label="treat nobody")
        top = scale * curve.prevalence
        axes.set(xlim=(0, x.max()), ylim=(-0.15 * top, 1.1 * top))
        axes.set(xlabel="Risk at which one would act, %", ylabel="Net benefit per 1,000 people")
        axes.legend(loc="upper right")
        mark_simulated(figure, simulated)
    return figure
