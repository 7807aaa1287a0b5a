"""Calibration, against glm, rms and sandwich."""

from __future__ import annotations

import numpy as np

from melanoscope.stats.calibration.calibration_error import calibration_error_interval
from melanoscope.stats.calibration.calibration_intervals import (
    brier_interval,
    calibration_line_intervals,
    observed_over_expected,
)
from melanoscope.stats.calibration.calibration_line import calibration_line
from melanoscope.stats.calibration.flexible_curve import FlexibleCurve, flexible_curve
from melanoscope.stats.calibration.temperature_scaling import fit_temperature
from r_oracles_parts.inputs import Inputs
from r_oracles_parts.quantities import Quantity

# glm, lrm and val.prob stop at their own limits of convergence.
_CONVERGED = 1e-7
# Of the 200 points of the curve, those that R computes.
_AT = [0, 39, 99, 159, 199]


def _line(i: Inputs) -> list[float]:
    line = calibration_line(i.target, i.probability[1])
    return [line.slope, line.slope_intercept, line.intercept]


def _slope_error(i: Inputs) -> list[float]:
    return [calibration_line_intervals(i.target, i.probability[1], i.group)[0].standard_error]


def _intercept_error(i: Inputs) -> list[float]:
    return [calibration_line_intervals(i.target, i.probability[1], i.group)[1].standard_error]


def _slope_interval(i: Inputs) -> list[float]:
    slope, _ = calibration_line_intervals(i.target, i.probability[1], i.group)
    return [slope.low, slope.high]


def _brier(i: Inputs) -> list[float]:
    return [brier_interval(i.target, i.probability[1], i.group).estimate]


def _brier_interval(i: Inputs) -> list[float]:
    found = brier_interval(i.target, i.probability[1], i.group)
    return [found.low, found.high]


def _ratio(i: Inputs) -> list[float]:
    found = observed_over_expected(i.target, i.probability[1], i.group)
    return [found.estimate, found.low, found.high]


def _temperature(i: Inputs) -> list[float]:
    return [fit_temperature(i.target, i.probability[1])]


def _val_prob(i: Inputs) -> list[float]:
    line = calibration_line(i.target, i.probability[1])
    return [float(np.mean((i.probability[1] - i.target) ** 2)), line.slope_intercept, line.slope]


def _curve(i: Inputs) -> FlexibleCurve:
    return flexible_curve(i.target, i.probability[1], i.group)


def _distances(i: Inputs) -> list[float]:
    curve = _curve(i)
    return [curve.ici, curve.e50, curve.e90]


def _band(i: Inputs) -> list[float]:
    curve = _curve(i)
    return [*curve.low[_AT].tolist(), *curve.high[_AT].tolist()]


def _error(i: Inputs) -> list[float]:
    return [calibration_error_interval(i.target, i.probability[1] ** 2, i.group).estimate]


QUANTITIES = (
    Quantity("calibration_line_glm", "glm", "calibration_line", _line, _CONVERGED),
    Quantity(
        "calibration_line_lrm", "rms::lrm", "calibration_line", lambda i: _line(i)[:2], _CONVERGED
    ),
    Quantity("val_prob", "rms::val.prob", "calibration_line", _val_prob, _CONVERGED),
    Quantity("temperature", "glm without intercept", "fit_temperature", _temperature, _CONVERGED),
    Quantity("brier", "plain R", "brier_interval", _brier),
    Quantity("brier_interval", "plain R, jackknife", "brier_interval", _brier_interval),
    Quantity("slope_error", "glm.fit, one step", "calibration_line_intervals", _slope_error, 1e-6),
    Quantity(
        "slope_error_sandwich_hc3",
        "sandwich::vcovCL, HC3",
        "calibration_line_intervals",
        _slope_error,
        0.02,
    ),
    Quantity(
        "intercept_error", "glm.fit, one step", "calibration_line_intervals", _intercept_error, 1e-6
    ),
    Quantity(
        "slope_interval", "glm.fit, one step", "calibration_line_intervals", _slope_interval, 1e-6
    ),
    Quantity("observed_over_expected", "plain R, jackknife", "observed_over_expected", _ratio),
    Quantity(
        "flexible_curve",
        "rms::lrm with rcs",
        "flexible_curve",
        lambda i: _curve(i).observed[_AT].tolist(),
        1e-6,
    ),
    Quantity("flexible_ici_e50_e90", "rms::lrm with rcs", "flexible_curve", _distances, 1e-6),
    Quantity("flexible_band", "glm.fit, one step", "flexible_curve", _band, 1e-6),
    Quantity("calibration_error", "plain R, jackknife", "calibration_error_interval", _error),
)
