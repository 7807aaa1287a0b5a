"""How strongly the outcome hangs together with what is no lesion: each by itself.

A number by itself foretells the outcome with some AUROC; 0.5 is none, below 0.5 the other way
round. A category does with some Cramer's V. Photographs of one group do not count as independent.
All tests are one family, adjusted after Holm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import chi2, norm, rankdata

from melanoscope.stats.intervals.delong import delong_interval
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITHIN = "influence curve, by group; only pairs of one archive"
_GEOMETRY = ("width", "height", "aspect", "file size")
# Levels in fewer groups are put together as one.
_FEW = 5


@dataclass(frozen=True)
class Association:
    """One variable and the outcome.

    Attributes:
        variable: Its name.
        kind: "missing", "person", "geometry", "colour".
        measure: "AUROC" or "Cramer's V".
        value: Of the measure.
        interval: Of an AUROC, DeLong's for clustered data; None for Cramer's V.
        within: AUROC where only photographs of one archive are compared: what is left when the
            variable no longer tells the archive. None with one archive, and for Cramer's V.
        n: Photographs of which it is known.
        p_value: Two-sided.
        p_holm: Adjusted over all.
    """

    variable: str
    kind: str
    measure: str
    value: float
    interval: Interval | None
    within: Interval | None
    n: int
    p_value: float
    p_holm: float = 1.0


def associations(catalog: pl.DataFrame, measured: pl.DataFrame) -> tuple[Association, ...]:
    """Test every variable of the catalog and of the photographs; the strongest first.

    Variables that never vary, or are known in fewer than two groups of an outcome, are left out.

    Args:
        catalog: Usable photographs.
        measured: `measurements.measure`'s, row by row of the catalog.
    """
    rows = _Rows(
        catalog["target"].to_numpy().astype(np.int64),
        catalog["group_id"].rank("dense").to_numpy().astype(np.int64),
        catalog["dataset"].rank("dense").to_numpy().astype(np.int64),
    )
    found = [
        _number(f"no {name}", "missing", column, rows) for name, column in _missing(catalog).items()
    ]
    found.append(_number("age", "person", catalog["age"].to_numpy(), rows))
    found += [_category(name, catalog[name].to_list(), rows) for name in ("sex", "site")]
    for name in measured.columns:
        kind = "geometry" if name in _GEOMETRY else "colour"
        found.append(_number(name, kind, measured[name].to_numpy(), rows))
    known = [one for one in found if one is not None]
    adjusted = holm([one.p_value for one in known])
    result = [replace(o, p_holm=float(p)) for o, p in zip(known, adjusted, strict=True)]
    return tuple(sorted(result, key=lambda one: (one.p_holm, -_strength(one))))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Outcome, group and archive of each photograph, as codes; shape (n,) each."""

    target: NDArray[np.int64]
    group: NDArray[np.int64]
    archive: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.target[mask], self.group[mask], self.archive[mask])

    def holders(self, outcome: int) -> int:
        """How many groups hold an outcome."""
        return int(np.unique(self.group[self.target == outcome]).size)


def _strength(one: Association) -> float:
    return abs(2 * one.value - 1) if one.measure == "AUROC" else one.value


def _missing(catalog: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    columns = {
        "age": catalog["age"].is_null(),
        "sex": catalog["sex"] == "unknown",
        "site": catalog["site"] == "unknown",
        "patient": catalog["patient_id"].is_null(),
        "lesion": catalog["lesion_id"].is_null(),
    }
    return {name: column.to_numpy().astype(np.float64) for name, column in columns.items()}


def _number(name: str, kind: str, values: NDArray[np.float64], rows: _Rows) -> Association | None:
    """AUROC of a number; None where it never varies or one class is not known."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    x, rows = values[known], rows.where(known)
    if x.size == 0 or np.ptp(x) == 0 or min(rows.holders(0), rows.holders(1)) < 2:
        return None
    interval = delong_interval(rows.target, rankdata(x) / (x.size + 1), rows.group)
    error, effect = interval.standard_error, interval.estimate - 0.5
    p = float(2 * norm.sf(abs(effect) / error)) if error > 0 else float(effect == 0)
    within = within_archives(x, rows.target, rows.group, rows.archive)
    return Association(name, kind, "AUROC", interval.estimate, interval, within, int(x.size), p)


def within_archives(
    values: NDArray[np.float64],
    target: NDArray[np.int64],
    group: NDArray[np.int64],
    archive: NDArray[np.int64],
) -> Interval | None:
    """AUROC over all pairs of a melanoma and another lesion of one archive.

    Its variance is that of the influence curve (LeDell et al. 2015, eq. 15, with archives for
    folds, weighted by their pairs), added up by group.

    Args:
        values: Shape (n,).
        target: 0 or 1, shape (n,).
        group: Unit of sampling, shape (n,).
        archive: Shape (n,).

    Returns:
        None with one archive, where none holds both outcomes, or where the value is the same in
        each whole archive.
    """
    names, code = np.unique(archive, return_inverse=True)
    if names.size < 2 or all(np.ptp(values[code == one]) == 0 for one in range(names.size)):
        return None
    influence, right, pairs = np.zeros(values.size), 0.0, 0
    for one in range(names.size):
        rows = np.flatnonzero(code == one)
        hit = target[rows] == 1
        n, m = int(hit.sum()), int((~hit).sum())
        ranks = rankdata(values[rows])
        above = ranks[hit] - rankdata(values[rows][hit])
        below = ranks[~hit] - rankdata(values[rows][~hit])
        area = above.sum() / max(n * m, 1)
        # Each photograph's deviation, times the archive's pairs.
        influence[rows[hit]] = above - m * area
        influence[rows[~hit]] = n * (1 - area) - below
        right, pairs = right + float(above.sum()), pairs + n * m
    summed = np.bincount(np.unique(group, return_inverse=True)[1], influence)
    units = summed.size
    if not pairs or units < 2:
        return None
    error = float(np.sqrt((summed**2).sum() * units / (units - 1))) / pairs
    estimate, half = right / pairs, float(norm.ppf(0.975)) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    return Interval(estimate, low, high, error, units, WITHIN, "groups")


def _category(name: str, labels: list[str], rows: _Rows) -> Association | None:
    """Cramer's V of the known levels, with a test that counts groups."""
    words = np.array(labels)
    known = words != "unknown"
    rows = rows.where(known)
    levels, level = np.unique(words[known], return_inverse=True)
    if levels.size < 2 or min(rows.holders(0), rows.holders(1)) < 2:
        return None
    table = np.zeros((levels.size, 2))
    np.add.at(table, (level, rows.target), 1)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    # The table has two columns, so that its smaller side less one is 1.
    v = float(np.sqrt((((table - expected) ** 2) / expected).sum() / table.sum()))
    p = category_p(level, rows.target, rows.group)
    return Association(name, "person", "Cramer's V", v, None, None, int(level.size), p)


def category_p(
    level: NDArray[np.int64], target: NDArray[np.int64], group: NDArray[np.int64]
) -> float:
    """Test whether levels differ in prevalence, photographs of one group counted as dependent.

    The generalised score test of logistic regression under independence (Boos 1992; Rotnitzky &
    Jewell 1990): with one photograph per group it is close to Pearson's chi-squared. Levels in
    fewer than `_FEW` groups are put together, and left out where even so they are few.

    Args:
        level: Codes, shape (n,).
        target: 0 or 1, shape (n,).
        group: Codes, shape (n,).

    Returns:
        Two-sided p, 0..1; 1 where one level is left.
    """
    level = np.where(_rare(level, group), -1, level)
    kept = ~_rare(level, group)
    level, target, group = level[kept], target[kept], group[kept]
    codes = np.unique(level)
    if codes.size < 2:
        return 1.0
    columns = (level[:, None] == codes[:-1]).astype(np.float64)
    score = (target - target.mean())[:, None] * (columns - columns.mean(axis=0))
    member = np.unique(group, return_inverse=True)[1]
    summed = np.stack([np.bincount(member, column) for column in score.T], axis=1)
    total, covariance = summed.sum(axis=0), summed.T @ summed
    statistic = float(total @ np.linalg.pinv(covariance) @ total)
    return float(chi2.sf(statistic, codes.size - 1))


def _rare(level: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark photographs whose level is in fewer than `_FEW` groups."""
    few = [c for c in np.unique(level) if np.unique(group[level == c]).size < _FEW]
    return np.isin(level, few)
