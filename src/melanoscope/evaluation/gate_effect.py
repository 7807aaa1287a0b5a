"""Photographs that the quality gate refuses or doubts, and those that cannot be read, both ways.

To leave refused photographs out flatters a network whose gate refuses what it would have missed; to
count them as answered describes a use that the gate prevents. So both stand beside each other, and
what becomes of sensitivity and specificity if whoever is refused is sent on, or is sent home.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.inference.quality.issues import KINDS
from melanoscope.stats.arrays import Booleans, Codes
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.clustered import ClusteredShare
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.predictions import Predictions

Statuses = NDArray[np.object_]
"""Outcome of each row of a frame, shape (n,)."""

ANSWERED = "every readable photograph answered"
NOT_REFUSED = "refused ones left out"
ACCEPTED = "refused and doubtful ones left out"
SENT_ON = "refused and unreadable ones called positive"
SENT_HOME = "refused and unreadable ones called negative"


@dataclass(frozen=True, kw_only=True)
class GateShare:
    """How many photographs of each class have one outcome.

    Attributes:
        status: "accepted", "doubtful", "refused" or "unreadable".
        photographs: Number of photographs.
        positives: Share of the positives with this outcome.
        others: Share of the other photographs.
        internal: Share of the network's own test photographs; None where it was not measured.
    """

    status: str
    photographs: int
    positives: Interval
    others: Interval
    internal: Interval | None


@dataclass(frozen=True, kw_only=True)
class GateWay:
    """The network's results where photographs are counted in one way.

    Attributes:
        way: How they are counted, in words.
        photographs: Number of photographs that count.
        positives: Number of positives among them.
        auroc: None where photographs without a number count, or where there are too few.
        sensitivity: At the main threshold, as is the specificity; None without photographs.
    """

    way: str
    photographs: int
    positives: int
    auroc: Interval | None
    sensitivity: Interval | None
    specificity: Interval | None


@dataclass(frozen=True, kw_only=True)
class GateEffect:
    """What the quality gate does on an archive.

    Attributes:
        shares: How many photographs have each outcome.
        concerns: Kind of concern -> number of photographs.
        ways: Results by how refused photographs are counted.
    """

    shares: tuple[GateShare, ...]
    concerns: dict[str, int]
    ways: tuple[GateWay, ...]


def gate_effect(sample: EvaluationSample, variant: str, replicates: int) -> GateEffect:
    """Count refused, doubtful and unreadable photographs of a sample in every way.

    Args:
        sample: Photographs with answers.
        variant: Variant of the network, "float32" or "int8".
        replicates: Number of replicates of the bootstrap of the AUROC.

    Returns:
        The effect.
    """
    status = _status(sample)
    refused, doubtful = status == "refused", status == "doubtful"
    unanswered = refused | (status == "unreadable")
    return GateEffect(
        shares=_shares(sample, status, variant),
        concerns=_concerns(sample),
        ways=(
            _left_out(sample, ANSWERED, np.ones(status.size, np.bool_), replicates),
            _left_out(sample, NOT_REFUSED, ~refused, replicates),
            _left_out(sample, ACCEPTED, ~(refused | doubtful), replicates),
            _decided(sample, SENT_ON, unanswered, positive=True),
            _decided(sample, SENT_HOME, unanswered, positive=False),
        ),
    )


def _status(sample: EvaluationSample) -> Statuses:
    """Return the outcome of each row of the frame, had nobody forced an answer."""
    frame = sample.frame
    status = np.array(frame["status"].to_list(), object)
    status[frame["forced"].fill_null(value=False).to_numpy().astype(bool)] = "refused"
    status[~sample.is_readable] = "unreadable"
    return status


def _concerns(sample: EvaluationSample) -> dict[str, int]:
    found = Counter(
        kind for kinds in sample.frame["concerns"] for kind in set(kinds.split("; ")) if kind
    )
    return {kind: found[kind] for kind in KINDS if found[kind]}


def _shares(sample: EvaluationSample, status: Statuses, variant: str) -> tuple[GateShare, ...]:
    positive, member, image = _columns(sample)
    rates = sample.manifest.gate.rates.get(variant)
    return tuple(
        GateShare(
            status=name,
            photographs=int((status == name).sum()),
            positives=ClusteredShare.of(status == name, positive, member, image).interval,
            others=ClusteredShare.of(status == name, ~positive, member, image).interval,
            internal=None if rates is None else getattr(rates, name, None),
        )
        for name in ("accepted", "doubtful", "refused", "unreadable")
    )


def _columns(sample: EvaluationSample) -> tuple[Booleans, Codes, Codes]:
    frame = sample.frame
    member = frame["group_id"].rank("dense").to_numpy().astype(np.int64) - 1
    return frame["target"].to_numpy() == 1, member, np.arange(frame.height)


def _left_out(sample: EvaluationSample, way: str, kept: Booleans, replicates: int) -> GateWay:
    """Count the readable photographs among those `kept`, rows of the frame."""
    inside = kept & sample.is_readable
    auroc = _auroc(sample.answered(sample.prevalence), kept[sample.is_readable], replicates)
    return _counted(sample, way, _called(sample), inside, auroc)


def _decided(
    sample: EvaluationSample, way: str, unanswered: Booleans, *, positive: bool
) -> GateWay:
    """Count every photograph, the `unanswered` ones as called, or as not called."""
    called = np.where(unanswered, positive, _called(sample))
    return _counted(sample, way, called, np.ones(called.size, np.bool_), None)


def _called(sample: EvaluationSample) -> Booleans:
    """Say which rows of the frame the main threshold calls positive."""
    called = np.zeros(sample.frame.height, np.bool_)
    called[sample.is_readable] = sample.logit >= sample.manifest.thresholds[0].logit
    return called


def _counted(
    sample: EvaluationSample, way: str, called: Booleans, inside: Booleans, auroc: Interval | None
) -> GateWay:
    positive, member, image = _columns(sample)

    def share(right: Booleans, among: Booleans) -> Interval | None:
        return ClusteredShare.of(right, among, member, image).interval if among.any() else None

    return GateWay(
        way=way,
        photographs=int(inside.sum()),
        positives=int((inside & positive).sum()),
        auroc=auroc,
        sensitivity=share(called, positive & inside),
        specificity=share(~called, ~positive & inside),
    )


def _auroc(whole: Predictions, inside: Booleans, replicates: int) -> Interval | None:
    try:
        kept = whole.where(inside)
        bootstrapped = group_bootstrap(kept, metrics=("auroc",), replicates=replicates)
        n = int(inside.sum())
        return crossval_metric(kept, bootstrapped, "auroc", CrossValidation(1, n, n))
    except StatisticsError:
        return None
