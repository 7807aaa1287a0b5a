"""What the best network would decide: operating points and the decision curve at a prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from melanoscope.report.context import ReportContext
from melanoscope.report.figures.style import MUTED, mark_simulated, styled
from melanoscope.report.sections.calibration import calibrated
from melanoscope.report.sections.section import Section, SectionFigure
from melanoscope.runs.results import validation_of
from melanoscope.stats.calibration.temperature_scaling import to_prevalence
from melanoscope.stats.metrics.decision_curve import DecisionCurve, decision_curve
from melanoscope.stats.metrics.operating_points import (
    operating_point,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.stats.reference.poster_protocol import THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.stats.predictions import Floats, Predictions

SENSITIVITY = 0.95
_RISKS = np.round(np.arange(0.002, 0.2001, 0.002), 3)


def decisions(study: ReportContext) -> Section | None:
    """Measure thresholds chosen on validation photographs, on test photographs."""
    if study.best is None:
        return None
    held = validation_of(study.run, *study.best)
    one = study.predictions[study.best]
    points = [
        operating_point(one, study.weights, name=name, threshold=t, prevalence=study.prevalence)
        for name, t in _thresholds(one, held).items()
    ]
    scaled = calibrated(study, study.best)
    sample = float(held.target.mean())
    moved = scaled.with_probability(to_prevalence(scaled.probability, sample, study.prevalence))
    curve = decision_curve(moved, study.weights, prevalence=study.prevalence, thresholds=_RISKS)
    useful = curve.threshold[curve.low > np.maximum(curve.treat_all, 0)]
    numbers = {
        "network": study.label(study.best),
        "prevalence": study.prevalence,
        "sample_prevalence": float(one.target.mean()),
        "points": points,
        "useful_from": float(useful.min()) if useful.size else None,
        "useful_to": float(useful.max()) if useful.size else None,
    }
    drawing = SectionFigure(
        "decision_curve",
        _curve_figure(curve, simulated=study.run.simulated),
        "Net benefit of the network, of treating all and of treating nobody, by risk threshold.",
        "Decision curve (Vickers & Elkin 2006) at the stated prevalence: net benefit in true "
        "positives per 1,000 people, with its 95 % band over groups. Probabilities are calibrated "
        "on validation photographs and moved to the prevalence. Above both other lines the network "
        "does more good than treating all or nobody, if lesions are as in these archives.",
    )
    return Section("decisions", "Operating points", numbers, numbers, (drawing,))


def _thresholds(one: Predictions, held: Predictions) -> dict[str, Floats]:
    """Each purpose's threshold per test prediction, chosen part by part on validation."""

    def chosen(rule: Callable[[Predictions], float]) -> Floats:
        by_part = {int(part): rule(held.where(held.part == part)) for part in held.parts}
        return np.array([by_part[int(part)] for part in one.part])

    return {
        f"Sensitivity {100 * SENSITIVITY:.0f} %": chosen(
            lambda p: threshold_for_sensitivity(p.target, p.probability, SENSITIVITY)
        ),
        f"Specificity of dermatologists, {100 * DERMATOLOGISTS.specificity:.1f} %": chosen(
            lambda p: threshold_for_specificity(p.target, p.probability, DERMATOLOGISTS.specificity)
        ),
        "Highest F1 on validation (as in the tables)": one.threshold,
        "0.5, as in the poster": np.full(one.target.size, THRESHOLD),
    }


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
