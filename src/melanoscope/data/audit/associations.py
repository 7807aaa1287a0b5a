"""How strongly the outcome hangs together with what is no lesion: each by itself.

A number by itself foretells the outcome with some AUROC; 0.5 is none, below 0.5 the other way
round. A category does with some Cramer's V. All tests are one family, adjusted after Holm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import chi2_contingency, norm, rankdata

from melanoscope.evidence.delong import delong_interval
from melanoscope.evidence.holm import holm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.evidence.interval import Interval


@dataclass(frozen=True)
class Association:
    """One variable and the outcome.

    Attributes:
        variable: Its name.
        kind: "missing", "person", "geometry", "colour".
        measure: "AUROC" or "Cramer's V".
        value: Of the measure.
        interval: Of an AUROC, DeLong's for clustered data; None for Cramer's V.
        n: Photographs of which it is known.
        p_value: Two-sided.
        p_holm: Adjusted over all.
    """

    variable: str
    kind: str
    measure: str
    value: float
    interval: Interval | None
    n: int
    p_value: float
    p_holm: float


def associations(catalog: pl.DataFrame, measured: pl.DataFrame) -> tuple[Association, ...]:
    """Test every variable of the catalog and of the photographs; the strongest first.

    Args:
        catalog: Usable photographs.
        measured: `measurements.measure`'s, row by row of the catalog.
    """
    target = catalog["target"].to_numpy().astype(np.int64)
    groups = catalog["group_id"].rank("dense").to_numpy().astype(np.int64)
    found = []
    for name, column in _missing(catalog).items():
        found.append(_number(f"no {name}", "missing", column, target, groups))
    found.append(_number("age", "person", catalog["age"].to_numpy(), target, groups))
    for name in ("sex", "site"):
        found.append(_category(name, catalog[name].to_list(), target))
    for name in measured.columns:
        kind = "geometry" if name in ("width", "height", "aspect", "file size") else "colour"
        found.append(_number(name, kind, measured[name].to_numpy(), target, groups))
    known = [one for one in found if one is not None]
    adjusted = holm([one.p_value for one in known])
    result = [
        Association(o.variable, o.kind, o.measure, o.value, o.interval, o.n, o.p_value, float(p))
        for o, p in zip(known, adjusted, strict=True)
    ]
    return tuple(sorted(result, key=lambda one: (one.p_holm, -_strength(one))))


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


def _number(
    name: str,
    kind: str,
    values: NDArray[np.float64],
    target: NDArray[np.int64],
    groups: NDArray[np.int64],
) -> Association | None:
    """AUROC of a number; None where it never varies or one class is not known."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    y, x, g = target[known], values[known], groups[known]
    if x.size == 0 or np.ptp(x) == 0 or min(_holders(g, y == k) for k in (0, 1)) < 2:
        return None
    interval = delong_interval(y, rankdata(x) / (x.size + 1), g)
    error = interval.standard_error
    z = (interval.estimate - 0.5) / error if error > 0 else np.inf
    p = float(2 * norm.sf(abs(z)))
    return Association(name, kind, "AUROC", interval.estimate, interval, int(x.size), p, p)


def _holders(groups: NDArray[np.int64], side: NDArray[np.bool_]) -> int:
    return int(np.unique(groups[side]).size)


def _category(name: str, labels: list[str], target: NDArray[np.int64]) -> Association | None:
    """Cramer's V of the known levels."""
    known = np.array([label != "unknown" for label in labels])
    levels, level = np.unique(np.array(labels)[known], return_inverse=True)
    y = target[known]
    if levels.size < 2 or np.unique(y).size < 2:
        return None
    table = np.zeros((levels.size, 2))
    np.add.at(table, (level, y), 1)
    test = chi2_contingency(table, correction=False)
    v = float(np.sqrt(test.statistic / y.size))  # the smaller side of the table has two columns
    p = float(test.pvalue)
    return Association(name, "person", "Cramer's V", v, None, int(y.size), p, p)
