"""How many patients would tell two networks of a run apart, by how they differ in that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from melanoscope.errors import StatisticsError, nearest
from melanoscope.runs.cell import RowKey
from melanoscope.runs.results import RunResults
from melanoscope.stats.intervals.interval import ALPHA
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.selection.power import POWER, GroupsNeeded, power_from_run


@dataclass(frozen=True, kw_only=True)
class PairPower:
    """What a run says of two of its networks.

    Attributes:
        first: Name of one network, backbone-transfer.
        second: Name of the other.
        needed: The groups it takes to tell them apart; None where the run cannot say.
        why: Why it cannot; empty where it can.
    """

    first: str
    second: str
    needed: GroupsNeeded | None
    why: str = ""


def pair_powers(
    results: RunResults,
    networks: Sequence[str] = (),
    *,
    difference: float = MARGIN,
    power: float = POWER,
    alpha: float = ALPHA,
) -> tuple[PairPower, ...]:
    """Estimate how many groups would tell networks of a run apart.

    Args:
        results: The results of the run, of the corrected protocol.
        networks: Names of two networks, as resnet18-finetune; none for the best of the run beside
            each of the others.
        difference: True difference in AUROC to be told, between 0 and 1.
        power: Chance to tell it, between `alpha` and 1.
        alpha: Level of the two-sided test, between 0 and 1.

    Returns:
        One result for each pair.

    Raises:
        StatisticsError: Numbers out of range, a network that the run has not finished, the poster's
            protocol, or no pair that anything can be said of.
    """
    if results.run.protocol == "poster":
        raise StatisticsError(
            "a run of the corrected protocol",
            "the poster's, whose error of a difference is not known",
            "run without --protocol poster",
        )
    best, others = _pairs(results, networks)
    found = []
    for other in others:
        names = {"first": _name(best), "second": _name(other)}
        try:
            needed = power_from_run(
                results.predictions[best],
                results.predictions[other],
                difference=difference,
                power=power,
                alpha=alpha,
                widening=results.design(best).factor,
            )
        except StatisticsError as error:  # of this pair: others may be told apart
            why = error
            found.append(PairPower(**names, needed=None, why=str(error)))
        else:
            found.append(PairPower(**names, needed=needed))
    if not any(pair.needed for pair in found):
        raise why
    return tuple(found)


def _pairs(results: RunResults, networks: Sequence[str]) -> tuple[RowKey, list[RowKey]]:
    """Return the network that others are set beside, and these."""
    finished = {_name(key): key for key in results.predictions}
    for name in networks:
        if name not in finished:
            raise StatisticsError(
                "networks that the run has finished", f"'{name}'", nearest(name, list(finished))
            )
    chosen = [finished[name] for name in networks]
    if not networks and results.best is not None:
        chosen = [results.best, *(key for key in results.predictions if key != results.best)]
    if len(chosen) < 2 or len(chosen) != len(set(chosen)) or (networks and len(networks) != 2):
        raise StatisticsError(
            "two finished networks", ", ".join(networks) or str(len(chosen)), "name two of the run"
        )
    return chosen[0], chosen[1:]


def _name(key: RowKey) -> str:
    return "-".join(key)
