"""A network on another archive, each thing computed once and when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.comparison.evidence import (
    ComparisonEvidence,
    ModelEvidence,
    collect_evidence,
)
from melanoscope.comparison.join import JoinedPredictions
from melanoscope.comparison.results import ComparisonResults
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.data.catalog import Catalog
from melanoscope.data.sources import ARCHIVES
from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.errors import StatisticsError
from melanoscope.evaluation.calibration_shift import CalibrationShift, calibration_shift
from melanoscope.evaluation.carried_thresholds import CarriedThreshold, carry_thresholds
from melanoscope.evaluation.case_mix import CaseMix, describe_case_mix
from melanoscope.evaluation.gate_effect import GateEffect, gate_effect
from melanoscope.evaluation.overlap import Overlap
from melanoscope.evaluation.robustness import Robustness
from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.inference.bundle import Bundle
from melanoscope.stats.bootstrap.group_weights import REPLICATES
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.mover import independent_difference
from melanoscope.stats.subgroups.compare_subgroups import SubgroupDifference

COMPARABLE = ("auroc", "calibration_slope")
"""Metrics that the share of positives does not change, the primary one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """What an evaluation is to compute.

    Attributes:
        replicates: Number of replicates of the bootstrap, at least 100.
        seed: Seed of the bootstrap, of the folds of recalibration and of the draws of its cost.
        corrupted: Number of photographs that artefacts are drawn on, about; 0 for none.
    """

    replicates: int = REPLICATES
    seed: int = 0
    corrupted: int = 0

    def __post_init__(self) -> None:
        ComparisonSettings(replicates=self.replicates)  # which refuses what is out of range
        if self.corrupted < 0:
            raise StatisticsError(
                "photographs to draw artefacts on", str(self.corrupted), "use 400"
            )


@dataclass(frozen=True, kw_only=True)
class CarriedMetric:
    """A metric of the network's own test beside that on another archive.

    Attributes:
        internal: On its own test photographs; None where it was not measured.
        external: Here; None where it has no interval.
        change: Here minus before; None where one of them is missing.
    """

    internal: Interval | None
    external: Interval | None
    change: Interval | None


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluationResults:
    """A bundle's answers on archives that it was not developed on, with what follows from them.

    Attributes:
        sample: The photographs that count, with their answers.
        bundle: The network.
        variant: Its variant, "float32" or "int8".
        overlap: What the archives share with the photographs of the development.
        catalog: All rows of the archives' tables.
        group_unit: What groups are, for readers.
        answers: CSV of all answers.
        settings: What to compute.
        robustness: What artefacts do to the answers; None where nobody asked.
    """

    sample: EvaluationSample
    bundle: Bundle
    variant: str
    overlap: Overlap
    catalog: Catalog
    group_unit: str
    answers: Path
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
    robustness: Robustness | None = None

    @cached_property
    def as_model(self) -> ComparisonResults:
        """The network as the one model of a comparison, as the bundle answers."""
        sample, target = self.sample, self.bundle.manifest.target
        answered = sample.answered(sample.manifest.prevalence)
        frame = sample.readable
        variables = subgroup_variables(frame.with_columns(ita=pl.lit(None, pl.Float64)))
        return ComparisonResults(
            joined=JoinedPredictions(
                image_id=np.array(frame["image_id"].to_list(), object),
                classes=("others", target.name),
                target=sample.target,
                probability={self.name: answered.probability},
                group=sample.group,
                group_unit=self.group_unit,
                fold=None,
                center=None,
                subgroups={one.name: one.level for one in variables if len(set(one.level)) > 1},
                notes=(),
            ),
            settings=ComparisonSettings(
                threshold=float(answered.threshold[0]),
                prevalence=sample.manifest.prevalence,
                replicates=self.settings.replicates,
                seed=self.settings.seed,
            ),
        )

    @property
    def name(self) -> str:
        """The network's name, for readers."""
        return self.bundle.manifest.name

    @property
    def kinds(self) -> list[str]:
        """Kinds of the archives that were read, in their order."""
        return list(dict.fromkeys(table.kind for table in self.catalog.tables))

    @property
    def archives(self) -> dict[str, int]:
        """Name of each archive's table -> number of its photographs that were answered."""
        return dict(self.sample.readable["dataset"].value_counts(sort=True).iter_rows())

    @property
    def terms(self) -> list[str]:
        """Licences of the archives' photographs, as the archives and their rows state them."""
        stated = self.sample.frame["license"].drop_nulls().unique().to_list()
        return sorted({*stated, *(ARCHIVES[k].license for k in self.kinds if k in ARCHIVES)})

    @property
    def simulated(self) -> bool:
        """Whether the network or the photographs are simulated and say nothing about skin."""
        return self.bundle.manifest.data.simulated or "simulated" in self.kinds

    @property
    def unlabelled(self) -> dict[str, int]:
        """Why rows of the archives cannot be called positive or not -> how many."""
        return dict(self.catalog.unlabelled["unlabelled"].value_counts(sort=True).iter_rows())

    @cached_property
    def _collected(self) -> ComparisonEvidence:
        return collect_evidence(self.as_model)

    @property
    def evidence(self) -> ModelEvidence:
        """Metrics, operating point and subgroups, as `melanoscope compare` gives them."""
        return self._collected.models[0]

    @property
    def significant(self) -> tuple[SubgroupDifference, ...]:
        """Subgroup differences that are significant."""
        return tuple(one for _, one in self._collected.significant)

    @property
    def subgroup_tests(self) -> int:
        """Number of subgroup hypotheses, all in one family."""
        return self._collected.subgroup_tests

    @cached_property
    def metrics(self) -> Mapping[str, CarriedMetric]:
        """Each of `COMPARABLE` -> the network's own test beside this one."""
        found = {}
        for metric in COMPARABLE:
            before = self.bundle.manifest.metrics.get(metric)
            external = self.evidence.metrics[metric]
            change = None
            if before is not None and external is not None:
                change = independent_difference(external, before)
            found[metric] = CarriedMetric(internal=before, external=external, change=change)
        return found

    @cached_property
    def case_mix(self) -> CaseMix:
        """How the photographs differ from those of the network's own test."""
        return describe_case_mix(self.sample)

    @cached_property
    def calibration(self) -> CalibrationShift:
        """Calibration as it is, after prior shift, after recalibration, and what that costs."""
        return calibration_shift(self.sample, self.settings.seed)

    @cached_property
    def thresholds(self) -> tuple[CarriedThreshold, ...]:
        """The bundle's thresholds, carried over."""
        return carry_thresholds(self.sample)

    @cached_property
    def gate(self) -> GateEffect:
        """What the quality gate does here."""
        return gate_effect(self.sample, self.variant, self.settings.replicates)
