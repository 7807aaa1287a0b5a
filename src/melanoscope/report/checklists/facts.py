"""What the reporting checklists may speak of: the facts of a run.

Nothing here knows how the report is made: it hands over run.json as it is, and what it computed.
What is None is unknown and will be left to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from melanoscope.stats.intervals.interval import Interval

Intervals = Mapping[str, Interval]
"""What was measured ("VGG-16: AUROC" for example) -> its estimate and interval."""


@dataclass(frozen=True)
class Facts:
    """What is known of a run.

    Every field may be missing; an empty text or tuple says "none". Texts stand as sentences of
    their own: a capital first, no full stop at the end.

    Attributes:
        record: run.json.
        used: Archive (as in the catalog's "dataset") -> photographs and positives that took part.
        labels: Backbone -> name for readers.
        n_train: Photographs a network learned from, on average over cells.
        n_validation: Photographs that decided when training stopped, on average over cells.
        n_test: Photographs a network was tested on, on average over cells.
        networks: Trained networks, all folds, repeats and seeds counted.
        missing: What ("age", "patient", ...) -> photographs of which it is not known.
        characteristics: What ("sex", ...) -> level -> photographs.
        divided_groups: Groups with photographs in more than one fold; 0 proves that none leaks.
        near_duplicates: Pairs of photographs found to show the same picture.
        metrics: Names of all that was computed.
        plots: Names of all that was drawn of performance.
        replicates: Replicates of each bootstrap.
        threshold_rule: How the threshold was chosen, and on what.
        operating_points: Further thresholds, each in words.
        performance: Discrimination and the like, of the best network at least.
        diagnostic: Sensitivity, specificity and predictive values.
        subgroups: Variables by which performance was broken down.
        clusters: Performance archive by archive.
        baselines: What was reached without the photograph.
        physicians: Source of the physicians' results that the networks were set beside.
        imbalance: How classes were balanced in training.
        external: Data for testing only, from other sources than those trained on.
        attribution: How a network's evidence was shown.
        failures: Number of wrong results shown one by one.
        image_types: Kind of photograph, as the archives name it -> photographs.
        skin_tones: Band of estimated skin tone -> photographs.
    """

    record: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, tuple[int, int]] | None = None
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
    replicates: int | None = None
    threshold_rule: str | None = None
    operating_points: tuple[str, ...] | None = None
    performance: Intervals | None = None
    diagnostic: Intervals | None = None
    subgroups: tuple[str, ...] | None = None
    clusters: Intervals | None = None
    baselines: Intervals | None = None
    physicians: str | None = None
    recalibration: str | None = None
    imbalance: str | None = None
    ensembling: str | None = None
    external: tuple[str, ...] | None = None
    attribution: str | None = None
    failures: int | None = None
    image_types: Mapping[str, int] | None = None
    skin_tones: Mapping[str, int] | None = None
