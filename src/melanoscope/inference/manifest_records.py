"""Records of bundle.json: where a network comes from, and what was measured of it."""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct, field

from melanoscope.inference.manifest_ranges import (
    AgeYears,
    Amount,
    Count,
    InputSide,
    Logit,
    LogitQuantiles,
    Prevalence,
    Seed,
    Sha256,
    Temperature,
    ThresholdKey,
)
from melanoscope.inference.quality.gate import DistanceLimits, QualityLimits
from melanoscope.stats.intervals.interval import Interval


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records of bundle.json."""


class Network(Record, frozen=True):
    """The network: its architecture, how it was trained, and the side of its input in pixels."""

    backbone: str
    label: str
    transfer: str
    with_static: bool
    image_size: InputSide = field(name="size")
    parameters: Count


class Preprocessing(Record, frozen=True):
    """What happens to a photograph between its file and the network's input."""

    decoder_version: Count
    orientation: str
    color: str = field(name="colour")
    crop: str
    resampling: str
    image_size: InputSide = field(name="size")
    normalization: str = field(name="normalisation")


class StaticFeatures(Record, frozen=True):
    """Columns of the input `static`, and the words and the age that they encode."""

    features: tuple[str, ...]
    sexes: tuple[str, ...]
    sites: tuple[str, ...]
    max_age: AgeYears


class Archive(Record, frozen=True):
    """One archive of photographs: its terms, the rows it lists and the files that were there."""

    kind: str
    title: str
    license: str = field(name="licence")
    attribution: str
    rows: Count
    found: Count
    absent: Count


class Counts(Record, frozen=True):
    """How many photographs a set holds, how many of them are positive, and in how many groups."""

    photographs: Count
    positives: Count
    groups: Count

    def __post_init__(self) -> None:
        if max(self.positives, self.groups) > self.photographs:
            raise ValueError(
                f"{self.positives} positives in {self.groups} groups of {self.photographs} "
                "photographs"
            )


class DiagnosisCount(Record, frozen=True):
    """How many photographs have a diagnosis, and whether it counts as positive.

    Attributes:
        diagnosis: In the vocabulary's words; None where an archive tells the class alone.
    """

    diagnosis: str | None
    positive: bool
    photographs: Count


class Data(Counts, frozen=True):
    """All photographs that took part, the archives they come from, and their diagnoses.

    Attributes:
        diagnoses: Positive ones first, frequent ones first.
        left_out: Why photographs of the archives did not take part -> how many, where nothing says
            whether they are positive.
    """

    fingerprint: Sha256
    sources: tuple[Archive, ...]
    diagnoses: tuple[DiagnosisCount, ...]
    left_out: dict[str, Count]
    simulated: bool
    dermoscopy_only: bool


class Configuration(Record, frozen=True):
    """The configuration of the run that trained the network, as in run.json."""

    data: tuple[str, ...]
    columns: dict[str, str]
    image_types: tuple[str, ...]
    backbones: tuple[str, ...]
    transfer: tuple[str, ...]
    folds: Count
    repeats: Count
    image_size: InputSide = field(name="size")
    seed: Seed
    recipe: dict[str, Count | Amount]
    protocol: str
    near_duplicates: bool
    weights: str | None
    simulated: bool


class Selection(Record, frozen=True):
    """How a network was chosen among others of a run, and its mean AUROC over all folds."""

    by: str
    among: Count
    auroc: Interval


class Hardware(Record, frozen=True):
    """The machine that trained the network."""

    processor: str
    cores: Count | None
    memory_gib: Amount | None
    accelerator: str | None
    precision: str


class Training(Record, frozen=True):
    """How the network was trained, and on how many photographs."""

    configuration: Configuration
    recipe: dict[str, Count | Amount]
    cell: str
    epochs_run: Count
    best_epoch: Count
    seed: Seed
    seconds: Amount
    versions: dict[str, str]
    hardware: Hardware
    selection: Selection | None
    photographs: Count


class License(Record, frozen=True):
    """Terms that the network inherits from the photographs it learnt from."""

    terms: tuple[str, ...]
    non_commercial: bool
    notice: str
    attribution: tuple[str, ...]


class Calibration(Counts, frozen=True, omit_defaults=True, kw_only=True):
    """Temperature scaling, and the calibration photographs it was fitted to.

    Attributes:
        method: How the temperature was fitted; None where none fitted best.
        why: Why the temperature is 1; None where one was fitted.
    """

    temperature: Temperature
    prevalence: Prevalence
    method: str | None = None
    why: str | None = None


class Threshold(Record, frozen=True):
    """One threshold, and what it does on the test photographs.

    Attributes:
        key: Name for programs; `name` is for people.
        meaning: What it was chosen for.
        logit: A lesion is called positive when its logit is at or above this.
        sensitivity: None, as the other shares, where it cannot be measured.
        prevalence: Share of positive lesions that `ppv` and `npv` assume, 0..1.
    """

    key: ThresholdKey
    name: str
    meaning: str
    logit: Logit
    sensitivity: Interval | None
    specificity: Interval | None
    ppv: Interval | None
    npv: Interval | None
    prevalence: Prevalence


class SubgroupLevel(Record, frozen=True):
    """One level of a variable, "female" for example, measured on its `n` test photographs.

    Attributes:
        too_small: Why nothing is measured, or "".
        sensitivity: At the main threshold, as is the specificity.
    """

    level: str
    n: Count
    positives: Count
    groups: Count
    too_small: str
    auroc: Interval | None
    sensitivity: Interval | None
    specificity: Interval | None


class Subgroup(Record, frozen=True):
    """A variable, age for example, and all its levels."""

    name: str
    levels: tuple[SubgroupLevel, ...]


class Heldout(Counts, frozen=True):
    """The test photographs, and 101 quantiles (0 to 100 per cent) of the logits of each class."""

    positive_logits: LogitQuantiles
    other_logits: LogitQuantiles

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("positive_logits", "other_logits"):
            quantiles = getattr(self, name)
            if any(after < before for before, after in pairwise(quantiles)):
                raise ValueError(f"quantiles `{name}` that do not ascend")


class GateRates(Record, frozen=True):
    """Shares of the test photographs with each outcome of the gate, and with each concern."""

    accepted: Interval
    doubtful: Interval
    refused: Interval
    concerns: dict[str, Interval]


class Gate(Record, frozen=True):
    """Limits of the quality gate; distances and rates are given for each variant of the network."""

    limits: QualityLimits
    distance: dict[str, DistanceLimits]
    rates: dict[str, GateRates]
