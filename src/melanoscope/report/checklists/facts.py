"""What the reporting checklists may speak of: facts of a run, and its flow of photographs.

Nothing here knows how the report is made: it hands over run.json as it is, and what it computed.
What is None is unknown and will be left to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NotApplicable:
    """Why an item does not apply to this run."""

    text: str


Answer = str | NotApplicable | None
"""What software has to say to an item; None: nothing, a person must."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        label: Of what, "MobileNetV2, fine-tuned" for example.
        metric: Its name for readers, "AUROC" for example.
        estimate: The number.
        low: Lower bound of its 95 % interval, or None.
        high: Upper bound, or None.
    """

    label: str
    metric: str
    estimate: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        text = f"{self.label}: {self.metric} {self.estimate:.3f}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Facts:
    """What is known of a run. Every field may be missing; an empty text or tuple says "none".

    Texts stand as sentences of their own: a capital first, no full stop at the end.

    Attributes:
        record: run.json.
        used: Archive (as in the catalog's "dataset") -> photographs and melanomas that took part.
        unreadable: Archive -> files that could not be decoded.
        labels: Backbone -> name for readers.
        n_train: Photographs a network learned from, on average over cells.
        n_validation: Photographs that decided when it stopped.
        n_test: Photographs it was tested on.
        networks: Trained networks, all folds and repeats counted.
        missing: What ("age", "patient", ...) -> photographs of which it is not known.
        characteristics: What ("sex", ...) -> level -> photographs.
        divided_groups: Groups with photographs in more than one part; 0 proves that none leaks.
        near_duplicates: Pairs of photographs found to show the same picture.
        metrics: Names of all that was computed.
        plots: Names of all that was drawn of performance.
        uncertainty: How intervals were made.
        comparison: How networks were compared.
        threshold_rule: How the threshold was chosen, and on what.
        operating_points: Further thresholds, each in words.
        performance: Discrimination and the like, of the best network at least.
        diagnostic: Sensitivity, specificity and predictive values.
        subgroups: Variables by which performance was broken down.
        clusters: Performance archive by archive.
        baselines: What was reached without the photograph.
        physicians: What the networks were set beside.
        recalibration: How probabilities were recalibrated.
        imbalance: How classes were balanced in training.
        ensembling: How networks were combined.
        external: Data for testing only, from other sources than those trained on.
        attribution: How a network's evidence was shown.
        failures: Wrong results shown one by one.
        skin_tones: Band of estimated skin tone -> photographs.
    """

    record: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, tuple[int, int]] | None = None
    unreadable: Mapping[str, int] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    n_train: float | None = None
    n_validation: float | None = None
    n_test: float | None = None
    networks: int | None = None
    missing: Mapping[str, int] | None = None
    characteristics: Mapping[str, Mapping[str, int]] | None = None
    divided_groups: int | None = None
    near_duplicates: int | None = None
    metrics: tuple[str, ...] | None = None
    plots: tuple[str, ...] | None = None
    uncertainty: str | None = None
    comparison: str | None = None
    threshold_rule: str | None = None
    operating_points: tuple[str, ...] | None = None
    performance: tuple[Estimate, ...] | None = None
    diagnostic: tuple[Estimate, ...] | None = None
    subgroups: tuple[str, ...] | None = None
    clusters: tuple[Estimate, ...] | None = None
    baselines: tuple[Estimate, ...] | None = None
    physicians: str | None = None
    recalibration: str | None = None
    imbalance: str | None = None
    ensembling: str | None = None
    external: tuple[str, ...] | None = None
    attribution: str | None = None
    failures: int | None = None
    skin_tones: Mapping[str, int] | None = None

    def at(self, *keys: str) -> Any:
        """Return what run.json says there, or None.

        >>> Facts({"data": {"rows": 3}}).at("data", "rows"), Facts().at("data", "rows")
        (3, None)
        """
        place: Any = self.record
        for key in keys:
            if not isinstance(place, Mapping) or key not in place:
                return None
            place = place[key]
        return place


@dataclass(frozen=True)
class Stage:
    """One archive's photographs, or all, from its table to the folds; None where not known."""

    name: str
    listed: int
    present: int
    readable: int | None
    used: int | None
    melanomas: int | None

    @property
    def absent(self) -> int:
        """Listed without a file."""
        return self.listed - self.present

    @property
    def unreadable(self) -> int | None:
        """Files that could not be decoded."""
        return None if self.readable is None else self.present - self.readable

    @property
    def left_out(self) -> int | None:
        """Readable, and yet not used."""
        if self.readable is None or self.used is None:
            return None
        return self.readable - self.used


@dataclass(frozen=True)
class Flow:
    """Photographs from the archives' tables to the folds.

    Attributes:
        archives: One by one, in the order of run.json.
        total: All together.
        listed_twice: Ids that several archives list; each is counted once, where its file is.
    """

    archives: tuple[Stage, ...]
    total: Stage
    listed_twice: int | None


def flow_of(facts: Facts) -> Flow | None:
    """Follow the photographs of a run; None where run.json does not count them."""
    listed, present = facts.at("data", "rows"), facts.at("data", "found")
    if listed is None or present is None:
        return None
    broken = facts.at("data", "unreadable")
    readable = None if broken is None else present - len(broken)
    used = facts.at("data", "photographs")
    if used is None and facts.used is not None:
        used = sum(n for n, _ in facts.used.values())
    melanomas = facts.at("data", "melanomas")
    sources = facts.at("data", "sources") or ()
    archives = tuple(_archive(facts, source, broken) for source in sources)
    total = Stage("All", listed, present, readable, used, melanomas)
    return Flow(archives, total, facts.at("data", "listed_twice"))


def _archive(facts: Facts, source: Mapping[str, Any], broken: list[Any] | None) -> Stage:
    kind, present = str(source["kind"]), int(source["found"])
    used = melanomas = readable = None
    if facts.used is not None:  # an archive of which nothing took part has no row in the catalog
        took = [counts for name, counts in facts.used.items() if _is_of(name, kind)]
        used, melanomas = sum(n for n, _ in took), sum(m for _, m in took)
    if facts.unreadable is not None:
        readable = present - sum(n for name, n in facts.unreadable.items() if _is_of(name, kind))
    elif broken is not None and not broken:
        readable = present
    return Stage(str(source["title"]), int(source["rows"]), present, readable, used, melanomas)


def _is_of(dataset: str, kind: str) -> bool:
    """Whether the catalog's name of an archive belongs to a kind of the command line.

    >>> _is_of("isic2019", "isic2019-melanoma"), _is_of("table:mine", "table")
    (True, True)
    """
    return dataset == kind.removesuffix("-melanoma") or dataset.startswith(f"{kind}:")


def enumerated(words: Iterable[str]) -> str:
    """Join words as in a sentence.

    >>> enumerated(["a", "b", "c"])
    'a, b and c'
    """
    listed = list(words)
    return " and ".join([", ".join(listed[:-1]), *listed[-1:]] if listed[1:] else listed)
