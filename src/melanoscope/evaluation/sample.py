"""The photographs of an archive with a bundle's answers, as arrays for statistics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy.special import expit

from melanoscope.errors import DataError
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.manifest import BundleManifest
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.predictions import Predictions


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluationSample:
    """Photographs that a network did not learn from, with its answers.

    Attributes:
        frame: Rows of the catalog with the columns of `predict_catalog.read_answers`, one per
            photograph that is evaluated, also of those that cannot be read.
        manifest: What the bundle says of itself.
    """

    frame: pl.DataFrame
    manifest: BundleManifest

    @cached_property
    def is_readable(self) -> Booleans:
        """Whether the network gave a number, of each row of `frame`."""
        found: Booleans = np.isfinite(self.frame["logit"].fill_null(np.nan).to_numpy())
        return found

    @cached_property
    def readable(self) -> pl.DataFrame:
        """The photographs that the network gave a number for; all below is of them."""
        rows = self.frame.filter(self.is_readable)
        counts = rows["target"].value_counts()
        if counts.height < 2:
            plural, others = self.manifest.target.plural, self.manifest.target.negative_plural
            raise DataError(
                f"{plural} and {others} that can be read and were no part of the development",
                f"{rows.height:,} photographs, all of one kind" if rows.height else "no photograph",
                "name other archives with --data",
            )
        return rows

    @property
    def target(self) -> Codes:
        """1 for positive lesions, 0 for the others, shape (n,)."""
        return self.readable["target"].to_numpy().astype(np.int64)

    @property
    def logit(self) -> Floats:
        """Logit of the network, before calibration, shape (n,)."""
        return self.readable["logit"].to_numpy()

    @property
    def group(self) -> Codes:
        """Codes of the groups, shape (n,)."""
        return self.readable["group_id"].rank("dense").to_numpy().astype(np.int64)

    @property
    def prevalence(self) -> float:
        """Share of positive photographs."""
        return float(self.target.mean())

    def calibrated_logit(self, prevalence: float) -> Floats:
        """Return the log-odds that the bundle answers at a `prevalence`, 0..1, shape (n,)."""
        fitted = self.manifest.calibration
        shift = log_odds(prevalence) - log_odds(fitted.prevalence)
        found: Floats = self.logit / fitted.temperature + shift
        return found

    def predictions(self, probability: Floats, threshold: float = 0.5) -> Predictions:
        """Return the `probability` of each photograph, (n,), as predictions of one fold."""
        n = probability.size
        return Predictions(
            target=self.target,
            probability=probability,
            threshold=np.full(n, threshold),
            fold_id=np.zeros(n, np.int64),
            group=self.group,
            image_index=np.arange(n, dtype=np.int64),
        )

    def called(self, threshold: float) -> Predictions:
        """Return 1 for photographs whose logit is at or above a `threshold`, else 0."""
        return self.predictions((self.logit >= threshold).astype(np.float64))

    def answered(self, prevalence: float) -> Predictions:
        """Return what the bundle answers at a `prevalence`, with its main threshold."""
        # Both sides go through the same function, so that they round alike.
        main = self.manifest.thresholds[0].logit
        fitted = self.manifest.calibration
        at = main / fitted.temperature + log_odds(prevalence) - log_odds(fitted.prevalence)
        both = expit(np.append(self.calibrated_logit(prevalence), at))
        return self.predictions(both[:-1], float(both[-1]))
