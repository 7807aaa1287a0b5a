"""What software can say of networks, training and results: each function turns facts into text.

As in `report.checklists.data_items`: None where a fact is missing, no sentence without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.report.checklists.facts import NotApplicable, enumerated
from melanoscope.report.figures.style import TRANSFER_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.report.checklists.facts import Answer, Estimate, Facts


def model(facts: Facts) -> Answer:
    """Networks and arms."""
    backbones, arms = facts.at("configuration", "backbones"), facts.at("configuration", "transfer")
    if not backbones or not arms:
        return None
    names = enumerated(facts.labels.get(name, name) for name in backbones)
    static = any(arm != "image_only" for arm in arms)
    fed = ", joined with age, sex and body site (two layers of 250 units)," if static else ","
    return (
        f"{names}: the convolutional part, its features averaged over the picture{fed} one linear "
        f"layer. Arms: {'; '.join(TRANSFER_NAMES.get(arm, arm) for arm in arms)}."
    )


def initialisation(facts: Facts) -> Answer:
    """Where weights begin."""
    arms, seed = facts.at("configuration", "transfer"), facts.at("configuration", "seed")
    if not arms or seed is None:
        return None
    taught = [TRANSFER_NAMES.get(arm, arm) for arm in arms if arm != "scratch"]
    text = f"ImageNet weights ({'; '.join(taught)})" if taught else ""
    if "scratch" in arms:
        text += f"{'; r' if text else 'R'}andom weights (from scratch)"
    if facts.at("configuration", "protocol") == "poster":
        text += "; each fold goes on from the network of the fold before"
    return f"{text}; seeds of all networks follow from {seed}."


def training(facts: Facts) -> Answer:
    """The recipe."""
    recipe = facts.at("configuration", "recipe")
    if not recipe:
        return None
    words = ", ".join(
        f"{name.replace('_', ' ')} {'none' if value is None else value}"
        for name, value in recipe.items()
    )
    made = "" if facts.networks is None else f" {facts.networks:,} networks trained."
    return f"{words[0].upper()}{words[1:]}.{made}"


def selection(facts: Facts) -> Answer:
    """Which state of a network is kept."""
    patience = facts.at("configuration", "recipe", "stop_patience")
    if patience is None:
        return None
    return (
        "The epoch with the lowest validation loss; training stops after "
        f"{patience} epochs without a lower one. Test photographs decide nothing."
    )


def software(facts: Facts) -> Answer:
    """Versions and machine."""
    versions, own = facts.at("versions"), facts.at("melanoscope")
    if not versions or own is None:
        return None
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    machine = facts.at("hardware", "accelerator") or facts.at("hardware", "processor")
    return f"melanoscope {own}, {named}" + (f"; on {machine}." if machine else ".")


def code(facts: Facts) -> Answer:
    """What is needed to do it again."""
    own, print_ = facts.at("melanoscope"), facts.at("data", "fingerprint")
    if own is None or print_ is None:
        return None
    return f"melanoscope {own}; the run's data have the fingerprint {print_[:12]}."


def specification(facts: Facts) -> Answer:
    """How predictions can be made for others."""
    own = facts.at("melanoscope")
    if own is None or facts.networks is None:
        return None
    return (
        f"Weights of {facts.networks:,} networks in the run folder; melanoscope {own} reads them."
    )


def calculation(facts: Facts) -> Answer:
    """How predictions were calculated."""
    own, precision = facts.at("melanoscope"), facts.at("hardware", "precision")
    if own is None or facts.networks is None:
        return None
    text = f"Each of {facts.networks:,} networks on the test photographs of its own cell"
    return f"{text}, by melanoscope {own}" + (f", precision {precision}." if precision else ".")


def metrics(facts: Facts) -> Answer:
    """All measures and plots."""
    if not facts.metrics:
        return None
    return f"{enumerated(facts.metrics)}." + (
        f" Plots: {enumerated(facts.plots)}." if facts.plots else ""
    )


def uncertainty(facts: Facts) -> Answer:
    """Intervals and tests."""
    if not facts.uncertainty:
        return None
    return f"{facts.uncertainty}." + (f" {facts.comparison}." if facts.comparison else "")


def measures(facts: Facts) -> Answer:
    """Measures with intervals and tests."""
    first, second = metrics(facts), uncertainty(facts)
    return f"{first} {second}" if isinstance(first, str) and isinstance(second, str) else None


def output(facts: Facts) -> Answer:
    """What comes out, and where it is cut."""
    if not facts.threshold_rule:
        return None
    text = f"A probability of melanoma. Threshold: {facts.threshold_rule}."
    points = facts.operating_points
    return text + (f" Also shown: {enumerated(points)}." if points else "")


def recalibration_planned(facts: Facts) -> Answer:
    """Whether the model was updated."""
    if facts.recalibration is None:
        return None
    if facts.recalibration:
        return f"{facts.recalibration}."
    return NotApplicable("No network was updated after its evaluation.")


def imbalance(facts: Facts) -> Answer:
    """Whether classes were balanced in training."""
    if facts.imbalance is None:
        return None
    if facts.imbalance:
        return f"{facts.imbalance}."
    return NotApplicable("Classes were not balanced in training.")


def ensembling(facts: Facts) -> Answer:
    """Whether networks were combined."""
    if facts.ensembling is None:
        return None
    if facts.ensembling:
        return f"{facts.ensembling}."
    return NotApplicable("No networks were combined.")


def internal(facts: Facts) -> Answer:
    """Testing on the same sources."""
    folds, n = facts.at("configuration", "folds"), facts.at("data", "photographs")
    if folds is None or n is None:
        return None
    protocol = facts.at("configuration", "protocol")
    if protocol == "poster":
        return f"On one fixed part of {n:,} photographs (protocol {protocol})."
    return f"Cross-validation in {folds} folds over {n:,} photographs."


def external(facts: Facts) -> Answer:
    """Testing on other sources."""
    if facts.external is None:
        return None
    if facts.external:
        return f"Tested on {enumerated(facts.external)}, which no network was trained on."
    titles = [source["title"] for source in facts.at("data", "sources") or ()]
    return f"None: tested within the archives trained on ({'; '.join(titles)})." if titles else None


def same_sources(facts: Facts) -> Answer:
    """Whether development and evaluation data come from one place."""
    if facts.external:
        return external(facts)
    titles = [source["title"] for source in facts.at("data", "sources") or ()]
    if facts.external is None or not titles:
        return None
    return f"The same archives for both: {'; '.join(titles)}."


def heterogeneity(facts: Facts) -> Answer:
    """Performance archive by archive."""
    return _estimates(facts.clusters, "By archive: ")


def performance(facts: Facts) -> Answer:
    """The main numbers."""
    return _estimates(facts.performance, "")


def diagnostic(facts: Facts) -> Answer:
    """Sensitivity, specificity, predictive values."""
    return _estimates(facts.diagnostic, "")


def robustness(facts: Facts) -> Answer:
    """What is reached without looking at the lesion."""
    return _estimates(facts.baselines, "Without the photograph: ")


def benchmarking(facts: Facts) -> Answer:
    """What the networks were set beside."""
    backbones = facts.at("configuration", "backbones")
    if not backbones:
        return None
    names = enumerated(facts.labels.get(name, name) for name in backbones)
    beside = f"; beside {facts.physicians}" if facts.physicians else ""
    without = robustness(facts)
    tail = f" {without}" if isinstance(without, str) else ""
    return f"{len(backbones)} networks on the same folds: {names}{beside}.{tail}"


def subgroups(facts: Facts) -> Answer:
    """By what performance was broken down."""
    if not facts.subgroups:
        return None
    return f"Performance broken down by {enumerated(facts.subgroups)}."


def explanation(facts: Facts) -> Answer:
    """How evidence was shown."""
    return f"{facts.attribution}." if facts.attribution else None


def failures(facts: Facts) -> Answer:
    """Wrong results, one by one."""
    return None if not facts.failures else f"{facts.failures:,} of the worst misses are shown."


def algorithm(facts: Facts) -> Answer:
    """Network, beginning, recipe, choice."""
    return _together(facts, model, initialisation, training, selection)


def _together(facts: Facts, *parts: Callable[[Facts], Answer]) -> str | None:
    texts = [part(facts) for part in parts]
    found = [text for text in texts if isinstance(text, str)]
    return " ".join(found) if len(found) == len(texts) else None


def _estimates(numbers: tuple[Estimate, ...] | None, before: str) -> str | None:
    return f"{before}{'; '.join(map(str, numbers))}." if numbers else None
