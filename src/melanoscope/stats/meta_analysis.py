"""One estimate from several archives that differ: random-effects pooling, of AUROCs on logits.

Between-archive variance by moments (DerSimonian & Laird 1986, Controlled Clinical Trials
7:177-188); interval of the mean after Hartung & Knapp (2001) and Sidik & Jonkman (2002), with t of
k - 1 degrees of freedom; interval of the next archive's own value after Higgins, Thompson &
Spiegelhalter (2009), J R Stat Soc A 172:137-159, with t of k - 2.

By chance the k estimates may lie closer together than their own errors allow, which makes the
interval of Hartung & Knapp absurdly narrow. It is held to be never narrower than that of
DerSimonian & Laird unless asked otherwise (Knapp & Hartung 2003; in R metafor's words
`test="adhoc"`, not `test="knha"`): without it, error rates are exceeded with few estimates of
unlike precision (Röver, Knapp & Friede 2015, BMC Med Res Methodol 15:99), and archives are few, and
one of them is usually ten times the size of another. As Jackson et al. (2017), Statistics in
Medicine 36:3923-3934, ask, the usual interval of DerSimonian & Laird is given beside it.

What the tests measure with 3 to 5 archives that differ much: the interval of the mean keeps about
95 % (90 % where one archive has an eighth of another's error), without the safeguard 89 to 95 %,
the usual one 82 to 91 %; the prediction for a further archive 87 to 92 % with five.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import chi2

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import wald_interval

HARTUNG_KNAPP = "random effects (DerSimonian & Laird 1986), Hartung-Knapp-Sidik-Jonkman"
NEVER_NARROWER = f"{HARTUNG_KNAPP}, never narrower than without"
DERSIMONIAN_LAIRD = "random effects (DerSimonian & Laird 1986)"
COMMON_EFFECT = "one common effect, inverse variance"
PREDICTION = "prediction of the next archive (Higgins et al. 2009)"
UNIT = "archives"


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomEffects:
    """k estimates pooled, on the scale that they were given on.

    Attributes:
        interval: Mean over archives with the interval of Hartung & Knapp; its n is k.
        usual: The same mean with the usual normal interval, to see what the former changes.
        common: The mean that holds if all archives have one value, with its normal interval.
        prediction: What the value in a further archive would be; None for two archives, whose
            spread has no degree of freedom left.
        weights: Share of each archive in the mean, shape (k,), of sum 1.
        common_weights: Share of each in `common`, shape (k,).
        tau_squared: Variance of the archives' own values; 0 where chance alone explains all.
        i_squared: Share of the spread that is not chance within archives, 0..1 (Higgins &
            Thompson 2002).
        q: Cochran's Q, the squared distances from `common` over their squared errors.
        p_heterogeneity: P-value of Q, chi-square of k - 1, that all archives have one value.
    """

    interval: Interval
    usual: Interval
    common: Interval
    prediction: Interval | None
    weights: Floats
    common_weights: Floats
    tau_squared: float
    i_squared: float
    q: float
    p_heterogeneity: float


@dataclass(frozen=True, eq=False, kw_only=True)
class PooledAuroc:
    """AUROCs of several archives pooled on the logit scale; intervals are AUROCs again.

    Attributes:
        interval: The AUROC of the middle archive: the mean of logits, back on 0..1.
        usual: The same with the usual normal interval of DerSimonian & Laird.
        common: The AUROC if all archives have one.
        prediction: What the AUROC in a further archive would be; None for two archives.
        weights: Archive -> its share in `interval`, of sum 1.
        common_weights: Archive -> its share in `common`.
        logits: The pooling itself, with the measures of heterogeneity.
    """

    interval: Interval
    usual: Interval
    common: Interval
    prediction: Interval | None
    weights: dict[str, float]
    common_weights: dict[str, float]
    logits: RandomEffects


def random_effects(
    estimate: ArrayLike, standard_error: ArrayLike, *, never_narrower: bool = True
) -> RandomEffects:
    """Pool independent estimates of k archives, on a scale on which their errors are normal.

    Args:
        estimate: Of each archive, finite, shape (k,), k at least 2.
        standard_error: Of each estimate, above 0, shape (k,).
        never_narrower: Whether the error of the mean is at least that of DerSimonian & Laird.

    Returns:
        The mean with its intervals, and how much the archives differ.

    Raises:
        StatisticsError: Fewer than two archives, other shapes, or errors that are not above 0.

    >>> found = random_effects([1.0, 2.0, 1.5], [0.2, 0.2, 0.2])
    >>> round(found.interval.estimate, 3), round(found.tau_squared, 3), round(found.i_squared, 2)
    (1.5, 0.21, 0.84)
    """
    value, error = _checked(estimate, standard_error)
    k = value.size
    fixed = error**-2.0
    common = float(fixed @ value / fixed.sum())
    q = float(fixed @ (value - common) ** 2)
    # By moments: Q is k - 1 on average where archives have one value.
    scale = float(fixed.sum() - fixed @ fixed / fixed.sum())
    tau_squared = max(0.0, (q - (k - 1)) / scale)
    weight = 1 / (error**2 + tau_squared)
    mean = float(weight @ value / weight.sum())
    usual = float(weight.sum() ** -0.5)
    ratio = float(np.sqrt(weight @ (value - mean) ** 2 / (k - 1)))
    of_mean = usual * (max(ratio, 1.0) if never_narrower else ratio)
    return RandomEffects(
        interval=wald_interval(
            mean,
            of_mean,
            n=k,
            method=NEVER_NARROWER if never_narrower else HARTUNG_KNAPP,
            unit=UNIT,
            degrees_of_freedom=k - 1,
        ),
        usual=wald_interval(mean, usual, n=k, method=DERSIMONIAN_LAIRD, unit=UNIT),
        common=wald_interval(
            common, float(fixed.sum() ** -0.5), n=k, method=COMMON_EFFECT, unit=UNIT
        ),
        prediction=_prediction(mean, float(np.hypot(of_mean, np.sqrt(tau_squared))), k),
        weights=weight / weight.sum(),
        common_weights=fixed / fixed.sum(),
        tau_squared=tau_squared,
        i_squared=max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        q=q,
        p_heterogeneity=float(chi2.sf(q, k - 1)),
    )


def pooled_auroc_over(
    archives: Mapping[str, Interval], *, never_narrower: bool = True
) -> PooledAuroc:
    """Pool the AUROCs of independent archives on the logit scale.

    An archive's error on that scale is its standard error over A (1 - A), by the delta method. The
    archives must share no patients.

    Args:
        archives: Name -> AUROC with its standard error, of 2 archives or more.
        never_narrower: As in `random_effects`.

    Returns:
        The pooled AUROC; standard errors are on the scale of the AUROC, by the delta method.

    Raises:
        StatisticsError: Fewer than two archives, an AUROC of 0 or 1, or one without an error.

    >>> def auroc(estimate, error):
    ...     return wald_interval(estimate, error, n=200, method="DeLong")
    >>> found = pooled_auroc_over({"a": auroc(0.9, 0.02), "b": auroc(0.8, 0.02)})
    >>> round(found.interval.estimate, 3), found.prediction
    (0.855, None)
    """
    for name, auroc in archives.items():
        if not (0 < auroc.estimate < 1 and 0 < auroc.standard_error < np.inf):
            raise StatisticsError(
                "AUROCs between 0 and 1 with standard errors above 0",
                f"{auroc.estimate:g} with {auroc.standard_error:g} for {name}",
                "leave out an archive whose classes are separated, and say so",
            )
    area = np.array([auroc.estimate for auroc in archives.values()])
    error = np.array([auroc.standard_error for auroc in archives.values()])
    found = random_effects(logit(area), error / (area * (1 - area)), never_narrower=never_narrower)
    return PooledAuroc(
        interval=_as_auroc(found.interval),
        usual=_as_auroc(found.usual),
        common=_as_auroc(found.common),
        prediction=None if found.prediction is None else _as_auroc(found.prediction),
        weights=dict(zip(archives, found.weights.tolist(), strict=True)),
        common_weights=dict(zip(archives, found.common_weights.tolist(), strict=True)),
        logits=found,
    )


def _prediction(mean: float, error: float, k: int) -> Interval | None:
    """Return the interval of the next archive's value; None where k - 2 is no degree of freedom."""
    # The error of the mean within it is that of its own interval, as in metafor and Partlett &
    # Riley (2017), so that it never lies inside of that.
    if k < 3:
        return None
    return wald_interval(mean, error, n=k, method=PREDICTION, unit=UNIT, degrees_of_freedom=k - 2)


def _as_auroc(logits: Interval) -> Interval:
    area = float(expit(logits.estimate))
    return Interval(
        estimate=area,
        low=float(expit(logits.low)),
        high=float(expit(logits.high)),
        standard_error=logits.standard_error * area * (1 - area),
        n=logits.n,
        method=f"{logits.method}, logit scale",
        unit=logits.unit,
    )


def _checked(estimate: ArrayLike, standard_error: ArrayLike) -> tuple[Floats, Floats]:
    value, error = np.asarray(estimate, np.float64), np.asarray(standard_error, np.float64)
    if value.ndim != 1 or value.shape != error.shape or value.size < 2:
        raise StatisticsError(
            "one estimate and one standard error of each of 2 archives or more",
            f"shapes {value.shape} and {error.shape}",
            "report a single archive by its own interval",
        )
    if not (np.isfinite(value).all() and np.isfinite(error).all() and (error > 0).all()):
        raise StatisticsError(
            "finite estimates with standard errors above 0",
            f"estimates {value.tolist()} with {error.tolist()}",
            "leave out archives without an error: their weight would be infinite",
        )
    return value, error
