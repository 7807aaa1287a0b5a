"""What artefacts, and hiding the lesion, do to a network's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.intervals.auroc_interval import auroc_influence
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import (
    clustered_error,
    effective_degrees_of_freedom,
    wald_interval,
    wald_test,
)

METHOD = "paired DeLong for clustered data (Obuchowski 1997), Student's t"


@dataclass(frozen=True, kw_only=True)
class Drop:
    """What one artefact at one strength, or a control, does.

    Attributes:
        auroc: AUROC with it.
        drop: AUROC without it minus that with it, on the same photographs.
        flipped: Share of decisions at the main threshold that change, 0..1.
        sensitivity: At the main threshold, with it.
        specificity: Likewise.
    """

    auroc: float
    drop: Interval
    flipped: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True, kw_only=True)
class CorruptionDrops:
    """What an artefact does, strength by strength.

    Attributes:
        name: Name of the artefact.
        words: What its levels are, for readers.
        levels: One number for each strength.
        drops: From strength 1 to 5.
        mean: Mean drop over the strengths.
        p_holm: Two-sided p-value of the mean drop, adjusted over all artefacts after Holm.
    """

    name: str
    words: str
    levels: tuple[float, ...]
    drops: tuple[Drop, ...]
    mean: Interval
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a network knows without the lesion, or without what is around it.

    Attributes:
        name: What is left of the photographs, for readers.
        photographs: Number of those in which a lesion's box was found.
        clean: AUROC of these as they are.
        result: What the control does.
    """

    name: str
    photographs: int
    clean: float
    result: Drop


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """What artefacts and controls do to a network.

    Attributes:
        photographs: Number of photographs that were tried.
        positives: Number of positives among them.
        groups: Number of their groups.
        clean: AUROC of these photographs as they are.
        corruptions: The artefacts, the largest mean drop first.
        controls: Only the background, and only the lesion's box; without those that too few
            photographs allow.
    """

    photographs: int
    positives: int
    groups: int
    clean: float
    corruptions: tuple[CorruptionDrops, ...]
    controls: tuple[Control, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class TriedPhotographs:
    """Photographs that artefacts are drawn on.

    Attributes:
        target: 1 for positives, 0 for the others, shape (n,).
        member: Number of each photograph's group, from 0, shape (n,).
        logit: Logits without artefacts, shape (n,).
        threshold: Logit from which a photograph is called positive.
    """

    target: Codes
    member: Codes
    logit: Floats
    threshold: float

    def influence(self, logit: Floats) -> tuple[float, Floats]:
        """Return the AUROC of other logits, and how far each photograph moves it, (n,)."""
        ranks = np.unique(logit, return_inverse=True)[1] / logit.size
        areas, moves = auroc_influence(self.target, ranks, np.zeros(logit.size, np.int64))
        return float(np.mean(areas)), moves

    def difference(self, estimate: float, influence: Floats) -> tuple[Interval, float]:
        """Return the interval of a difference of AUROCs, and its two-sided p-value."""
        freedom = effective_degrees_of_freedom(influence, self.member)
        interval = wald_interval(
            estimate,
            clustered_error(influence, self.member),
            n=int(self.member.max()) + 1,
            method=METHOD,
            degrees_of_freedom=freedom,
        )
        statistic = wald_test(interval, freedom).statistic
        return interval, float(2 * student.sf(abs(statistic), freedom))

    def drop(self, logit: Floats) -> Drop:
        """Compare other logits of the same photographs, shape (n,), with the clean ones."""
        clean, moves = self.influence(self.logit)
        auroc, others = self.influence(logit)
        interval, _ = self.difference(clean - auroc, moves - others)
        called, before = logit >= self.threshold, self.logit >= self.threshold
        return Drop(
            auroc=auroc,
            drop=interval,
            flipped=float(np.mean(called != before)),
            sensitivity=float(called[self.target == 1].mean()),
            specificity=float(1 - called[self.target == 0].mean()),
        )

    def mean_drop(self, logits: Sequence[Floats]) -> tuple[Interval, float]:
        """Return the mean drop over several logits of the same photographs, and its p-value."""
        clean, moves = self.influence(self.logit)
        found = [self.influence(one) for one in logits]
        estimate = clean - float(np.mean([auroc for auroc, _ in found]))
        return self.difference(estimate, moves - np.mean([one for _, one in found], axis=0))


def corruption_drops(
    tried: TriedPhotographs,
    logits: Mapping[str, Sequence[Floats]],
    described: Mapping[str, tuple[str, tuple[float, ...]]],
) -> tuple[CorruptionDrops, ...]:
    """Compare the logits with each artefact with those without.

    Args:
        tried: The photographs.
        logits: Artefact -> logits at each strength, shape (n,) each.
        described: Artefact -> what its levels are, and the levels.

    Returns:
        The artefacts, the largest mean drop first; p-values are adjusted over all of them.
    """
    found = []
    for name, strengths in logits.items():
        mean, p_value = tried.mean_drop(strengths)
        words, levels = described[name]
        found.append(
            CorruptionDrops(
                name=name,
                words=words,
                levels=levels,
                drops=tuple(tried.drop(one) for one in strengths),
                mean=mean,
                p_holm=p_value,
            )
        )
    adjusted = holm([one.p_holm for one in found]).tolist()
    found = [replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(found, key=lambda one: -one.mean.estimate))
