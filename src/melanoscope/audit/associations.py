"""How strongly the outcome hangs together with what is no lesion: each by itself.

A number by itself foretells the outcome with some AUROC; 0.5 is none, below 0.5 the other way
round. A category does with some Cramer's V. Photographs of one group do not count as independent.
All tests are one family, adjusted after Holm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from scipy.stats.contingency import association, crosstab

from melanoscope.audit.association_statistics import clustered_score_test, within_archives
from melanoscope.stats.intervals.auroc_interval import delong_interval
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval

_CATEGORIES = {"sex": "person", "site": "person", "center": "origin", "image_type": "origin"}
_GEOMETRY = ("width", "height", "aspect", "file size")


@dataclass(frozen=True)
class Association:
    """One variable and the outcome."""

    variable: str
    kind: str  # "missing", "person", "origin", "geometry" or "colour"
    measure: str  # "AUROC" or "Cramer's V"
    value: float
    interval: Interval | None  # DeLong's for clustered data; None for Cramer's V
    # AUROC where only photographs of one archive are compared: what is left when the variable no
    # longer tells the archive. None with one archive, and for Cramer's V.
    within: Interval | None
    n: int  # photographs of which the variable is known
    p_value: float
    p_holm: float = 1.0  # adjusted over all variables

    @property
    def strength(self) -> float:
        """Distance from no association, 0 to 1, on one scale for both measures."""
        return abs(2 * self.value - 1) if self.measure == "AUROC" else self.value


def find_associations(catalog: pl.DataFrame, measured: pl.DataFrame) -> tuple[Association, ...]:
    """Test every variable of usable photographs and their measurements against the outcome."""
    # Variables that never vary, or are known in fewer than two groups of an outcome, are left out;
    # the smallest adjusted p-value comes first.
    rows = _Rows(
        target=catalog["target"].to_numpy().astype(np.int64),
        group=catalog["group_id"].rank("dense").to_numpy().astype(np.int64),
        archive=catalog["dataset"].rank("dense").to_numpy().astype(np.int64),
    )
    measured = catalog.select("image_id").join(
        measured, on="image_id", how="left", validate="1:1", maintain_order="left"
    )
    missing = {
        "age": catalog["age"].is_null(),
        "sex": catalog["sex"] == "unknown",
        "site": catalog["site"] == "unknown",
        "patient": catalog["patient_id"].is_null(),
        "lesion": catalog["lesion_id"].is_null(),
    }
    found = [
        _numeric_association(f"no {name}", "missing", column.to_numpy(), rows)
        for name, column in missing.items()
    ]
    found.append(_numeric_association("age", "person", catalog["age"].to_numpy(), rows))
    found += [
        _categorical_association(
            name.replace("_", " "), kind, catalog[name].fill_null("unknown").to_numpy(), rows
        )
        for name, kind in _CATEGORIES.items()
    ]
    for column in measured.drop("image_id"):
        kind = "geometry" if column.name in _GEOMETRY else "colour"
        found.append(_numeric_association(column.name, kind, column.to_numpy(), rows))
    known = [association for association in found if association is not None]
    adjusted = holm([association.p_value for association in known])
    result = [replace(a, p_holm=float(p)) for a, p in zip(known, adjusted, strict=True)]
    return tuple(sorted(result, key=lambda a: (a.p_holm, -a.strength)))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Outcome, group and archive of each photograph, as codes; shape (n,) each."""

    target: NDArray[np.int64]
    group: NDArray[np.int64]
    archive: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.target[mask], self.group[mask], self.archive[mask])

    @property
    def least_groups(self) -> int:
        """The smaller of the numbers of groups that hold one outcome and the other."""
        return min(np.unique(self.group[self.target == y]).size for y in (0, 1))


def _numeric_association(
    name: str, kind: str, values: NDArray[np.float64], rows: _Rows
) -> Association | None:
    """Return the AUROC of `values`; None where they never vary or one class is not known."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    x, rows = values[known], rows.where(known)
    if x.size == 0 or np.ptp(x) == 0 or rows.least_groups < 2:
        return None
    interval = delong_interval(rows.target, rankdata(x) / (x.size + 1), rows.group)
    error, effect = interval.standard_error, interval.estimate - 0.5
    return Association(
        variable=name,
        kind=kind,
        measure="AUROC",
        value=interval.estimate,
        interval=interval,
        within=within_archives(x, rows.target, rows.group, rows.archive),
        n=int(x.size),
        p_value=float(2 * norm.sf(abs(effect) / error)) if error > 0 else float(effect == 0),
    )


def _categorical_association(
    name: str, kind: str, labels: NDArray[np.object_], rows: _Rows
) -> Association | None:
    """Return Cramer's V of the known levels, with a test that counts groups."""
    known = labels != "unknown"
    rows = rows.where(known)
    levels, level = np.unique(labels[known].astype(str), return_inverse=True)
    if levels.size < 2 or rows.least_groups < 2:
        return None
    return Association(
        variable=name,
        kind=kind,
        measure="Cramer's V",
        value=float(association(crosstab(level, rows.target).count, method="cramer")),
        interval=None,
        within=None,
        n=int(level.size),
        p_value=clustered_score_test(level, rows.target, rows.group),
    )
