"""What software can say of networks, training and results: each function turns facts into text.

As in `report.checklists.data_items`: each takes the facts of a run, raises `UnknownFact` where one
that it needs is missing, and says no sentence without a fact.
"""

from __future__ import annotations

from melanoscope.report.checklists.facts import (
    Facts,
    Intervals,
    NotApplicable,
    enumerated,
    known,
)
from melanoscope.transfers import TRANSFER_NAMES


def model(facts: Facts) -> str:
    """Describe the networks and how they were trained."""
    transfers = known(facts.at("configuration", "transfer") or None)
    static = any(transfer != "image_only" for transfer in transfers)
    fed = ", joined with age, sex and body site (two layers of 250 units)," if static else ","
    return (
        f"{enumerated(_backbones(facts))}: the convolutional part, its features averaged over the "
        f"picture{fed} one linear layer. Transfer: {_transfer_names(transfers)}."
    )


def initialization(facts: Facts) -> str:
    """Say where the weights begin."""
    transfers = known(facts.at("configuration", "transfer") or None)
    seed = facts.need("configuration", "seed")
    pretrained = [transfer for transfer in transfers if transfer != "scratch"]
    text = f"ImageNet weights ({_transfer_names(pretrained)})" if pretrained else ""
    if "scratch" in transfers:
        text += f"{'; r' if text else 'R'}andom weights (from scratch)"
    if facts.at("configuration", "protocol") == "poster":
        text += "; each fold goes on from the network of the fold before"
    return f"{text}; seeds of all networks follow from {seed}."


def training(facts: Facts) -> str:
    """List the settings of training."""
    settings = known(facts.at("configuration", "recipe") or None)
    text = ", ".join(
        f"{name.replace('_', ' ')} {'none' if value is None else value}"
        for name, value in settings.items()
    )
    trained = "" if facts.networks is None else f" {facts.networks:,} networks trained."
    return f"{text[0].upper()}{text[1:]}.{trained}"


def selection(facts: Facts) -> str:
    """Say which state of a network is kept."""
    patience = facts.need("configuration", "recipe", "stop_patience")
    return (
        "The epoch with the lowest validation loss; training stops after "
        f"{patience} epochs without a lower one. Test photographs decide nothing."
    )


def algorithm(facts: Facts) -> str:
    """Describe the network, its initial weights, its training and its selection."""
    return " ".join(item(facts) for item in (model, initialization, training, selection))


def software(facts: Facts) -> str:
    """Name the versions of the software and the machine."""
    versions = known(facts.at("versions") or None)
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    machine = facts.at("hardware", "accelerator") or facts.at("hardware", "processor")
    text = f"melanoscope {facts.need('melanoscope')}, {named}"
    return text + (f"; on {machine}." if machine else ".")


def code(facts: Facts) -> str:
    """Name the version and the data that are needed to do it again."""
    fingerprint = facts.need("data", "fingerprint")[:12]
    own = facts.need("melanoscope")
    return f"melanoscope {own}; the run's data have the fingerprint {fingerprint}."


def specification(facts: Facts) -> str:
    """Say how predictions can be made for others."""
    return (
        f"Weights of {known(facts.networks):,} networks in the run folder; melanoscope "
        f"{facts.need('melanoscope')} reads them."
    )


def calculation(facts: Facts) -> str:
    """Say how predictions were calculated."""
    precision = facts.at("hardware", "precision")
    text = f"Each of {known(facts.networks):,} networks on the test photographs of its own cell"
    text += f", by melanoscope {facts.need('melanoscope')}"
    return text + (f", precision {precision}." if precision else ".")


def metrics(facts: Facts) -> str:
    """List all metrics and plots."""
    text = f"{enumerated(known(facts.metrics or None))}."
    return text + (f" Plots: {enumerated(facts.plots)}." if facts.plots else "")


def uncertainty(facts: Facts) -> str:
    """Describe intervals and tests."""
    text = f"{known(facts.uncertainty or None)}."
    return text + (f" {facts.comparison}." if facts.comparison else "")


def measures(facts: Facts) -> str:
    """List the metrics, with their intervals and tests."""
    return f"{metrics(facts)} {uncertainty(facts)}"


def output(facts: Facts) -> str:
    """Say what comes out of a network, and at which thresholds."""
    text = f"A probability of melanoma. Threshold: {known(facts.threshold_rule or None)}."
    points = facts.operating_points
    return text + (f" Also shown: {enumerated(points)}." if points else "")


def recalibration(facts: Facts) -> str | NotApplicable:
    """Say how networks were updated after their evaluation, or that they were not."""
    return _done(facts.recalibration, "No network was updated after its evaluation.")


def imbalance(facts: Facts) -> str | NotApplicable:
    """Say how classes were balanced in training, or that they were not."""
    return _done(facts.imbalance, "Classes were not balanced in training.")


def ensembling(facts: Facts) -> str | NotApplicable:
    """Say how networks were combined, or that they were not."""
    return _done(facts.ensembling, "No networks were combined.")


def internal_testing(facts: Facts) -> str:
    """Describe the test on the archives that were trained on."""
    folds, n = facts.need("configuration", "folds"), facts.need("data", "photographs")
    protocol = facts.at("configuration", "protocol")
    if protocol == "poster":
        return f"On one fixed part of {n:,} photographs (protocol {protocol})."
    return f"Cross-validation in {folds} folds over {n:,} photographs."


def external_testing(facts: Facts) -> str:
    """Name the archives for testing only, or say that there are none."""
    if known(facts.external):
        return _tested_elsewhere(facts)
    return f"None: tested within the archives trained on ({_titles(facts)})."


def same_sources(facts: Facts) -> str:
    """Say whether development and evaluation data come from one place."""
    if known(facts.external):
        return _tested_elsewhere(facts)
    return f"The same archives for both: {_titles(facts)}."


def heterogeneity(facts: Facts) -> str:
    """State the performance archive by archive."""
    return f"By archive: {_intervals(facts.clusters)}."


def performance(facts: Facts) -> str:
    """State the main numbers with their intervals."""
    return f"{_intervals(facts.performance)}."


def diagnostic(facts: Facts) -> str:
    """State sensitivity, specificity and predictive values with their intervals."""
    return f"{_intervals(facts.diagnostic)}."


def robustness(facts: Facts) -> str:
    """State what is reached without looking at the lesion."""
    return f"Without the photograph: {_intervals(facts.baselines)}."


def benchmarking(facts: Facts) -> str:
    """Say what the networks were set beside."""
    names = _backbones(facts)
    beside = f"; beside {facts.physicians}" if facts.physicians else ""
    without = f" {robustness(facts)}" if facts.baselines else ""
    return f"{len(names)} networks on the same folds: {enumerated(names)}{beside}.{without}"


def subgroups(facts: Facts) -> str:
    """Name the variables by which performance was broken down."""
    return f"Performance broken down by {enumerated(known(facts.subgroups or None))}."


def explanation(facts: Facts) -> str:
    """Say how a network's evidence was shown."""
    return f"{known(facts.attribution or None)}."


def failures(facts: Facts) -> str:
    """Count the wrong results that are shown one by one."""
    return f"{known(facts.failures or None):,} of the worst misses are shown."


def _backbones(facts: Facts) -> list[str]:
    backbones = known(facts.at("configuration", "backbones") or None)
    return [facts.labels.get(name, name) for name in backbones]


def _transfer_names(transfers: list[str]) -> str:
    return "; ".join(TRANSFER_NAMES.get(transfer, transfer) for transfer in transfers)


def _titles(facts: Facts) -> str:
    return "; ".join(s["title"] for s in known(facts.at("data", "sources") or None))


def _tested_elsewhere(facts: Facts) -> str:
    return f"Tested on {enumerated(known(facts.external))}, which no network was trained on."


def _done(text: str | None, otherwise: str) -> str | NotApplicable:
    """Return what was done as a sentence, or why the item does not apply where `text` is empty."""
    return f"{text}." if known(text) else NotApplicable(otherwise)


def _intervals(intervals: Intervals | None) -> str:
    return "; ".join(
        f"{name} {interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"
        for name, interval in known(intervals or None).items()
    )
