"""Fit a - b n^-c to results at several training sizes, for many replicates of the results at once.

The inverse power law of learning curves (Figueroa et al. 2012, BMC Med Inform Decis Mak 12:8):
a <= 1 is the asymptote, b >= 0 what more data can still bring, c > 0 how fast. For a given c the
best a and b are those of weighted linear least squares with two bounds, in closed form, so that
only c has to be searched for (variable projection: Golub & Pereyra 1973, SIAM J Numer Anal
10:413-432): no start values, no local minima, and thousands of refits in a blink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.stats.arrays import Booleans, Floats, safe_divide

EXPONENTS = (0.05, 5.0)
"""Smallest and largest c: less is nearly logarithmic, more is a step."""
_COARSE, _FINE, _ROUNDS = 64, 17, 4


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Curves a - b (n / unit)^-c, one or many, each array of shape (r,).

    Attributes:
        a: Asymptotes, at most 1.
        b: What lies between the curve at n = unit and the asymptote, 0 or more.
        c: Exponents, within `EXPONENTS`.
        unit: Size at which b is measured, above 0.
        misfit: Weighted sum of squared residuals.
    """

    a: Floats
    b: Floats
    c: Floats
    unit: float
    misfit: Floats

    def at(self, size: float) -> Floats:
        """Return the value of each curve at `size`, above 0: shape (r,)."""
        value: Floats = self.a - self.b * (size / self.unit) ** -self.c
        return value

    def reaches(self, value: Floats) -> Floats:
        """Return the size at which each curve reaches its `value`, (r,); infinite where never."""
        left = self.a - value
        ratio = safe_divide(self.b, left, fill=np.inf)
        # A huge size is as good as never.
        with np.errstate(over="ignore"):
            size: Floats = self.unit * ratio ** (1 / self.c)
        return size

    @property
    def at_bound(self) -> Booleans:
        """Whether the exponent is as small or large as is looked at, (r,)."""
        low, high = EXPONENTS
        outside: Booleans = (self.c <= low * 1.001) | (self.c >= high / 1.001)
        return outside


def fit_power_laws(size: Floats, values: Floats, weight: Floats) -> PowerLaws:
    """Fit one curve to each row of `values` by weighted least squares.

    Args:
        size: Training sizes, above 0, shape (m,).
        values: Results at these sizes, shape (r, m).
        weight: Inverse variances, shape (m,).

    Returns:
        The curves, their unit the largest size.

    >>> size = np.array([50.0, 100, 200, 400])
    >>> found = fit_power_laws(size, (0.9 - size**-0.5)[None], np.ones(4))
    >>> round(float(found.a[0]), 4), round(float(found.c[0]), 3)
    (0.9, 0.5)
    """
    unit = float(size.max())
    scaled = np.log(size / unit)
    least, most = (float(np.log(exponent)) for exponent in EXPONENTS)
    log_c = np.linspace(least, most, _COARSE)
    step = log_c[1] - log_c[0]
    tried = np.broadcast_to(log_c, (len(values), _COARSE))
    for _ in range(_ROUNDS):
        best = _project(scaled, values, weight, tried)[2].argmin(axis=1)
        middle = np.take_along_axis(tried, best[:, None], axis=1)
        around = middle + step * np.linspace(-1, 1, _FINE)
        tried = np.clip(around, least, most)
        step *= 2 / (_FINE - 1)
    a, b, misfit = _project(scaled, values, weight, tried)
    best = misfit.argmin(axis=1)[:, None]
    chosen = (np.take_along_axis(x, best, axis=1)[:, 0] for x in (a, b, np.exp(tried), misfit))
    a, b, c, misfit = chosen
    return PowerLaws(a=a, b=b, c=c, unit=unit, misfit=misfit)


def _project(
    scaled: Floats, values: Floats, weight: Floats, log_c: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the best a and b for each replicate and exponent, and their misfit, each (r, g)."""
    share = weight / weight.sum()
    x = np.exp(-np.exp(log_c)[..., None] * scaled)
    mean_x, mean_y = x @ share, (values @ share)[:, None]
    from_x, from_y = x - mean_x[..., None], values - mean_y
    spread_x = np.einsum("rgm,rgm,m->rg", from_x, from_x, share)
    together = np.einsum("rgm,rm,m->rg", from_x, from_y, share)
    # The free minimum; where it has b < 0 the best is b = 0, the mean.
    b = np.maximum(safe_divide(-together, spread_x, fill=0.0), 0.0)
    a = mean_y + b * mean_x
    # Where it has a > 1 the best is a = 1, and b from the origin of 1 - y on x.
    square_x = spread_x + mean_x**2
    cross = mean_x * (1 - mean_y) - together
    b = np.where(a > 1, np.maximum(cross / square_x, 0.0), b)
    a = np.minimum(a, 1.0)
    squares = (from_y**2 @ share)[:, None]
    offset = mean_y - a + b * mean_x
    misfit = squares + 2 * b * together + b**2 * spread_x + offset**2
    return a, b, misfit * weight.sum()
