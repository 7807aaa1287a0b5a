"""run.json and done.json as typed records: what a reader of a run folder may rely on.

A run folder may come from anybody: what is not of its type, or out of its range, is refused in one
line, and not found out by whatever first computes with it. Keys that nothing reads are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from melanoscope.errors import RunError
from melanoscope.inference.manifest_ranges import Amount, Count
from melanoscope.inference.manifest_records import Archive, Hardware
from melanoscope.runs.file_records import FileRecords
from melanoscope.target import Target
from melanoscope.transfers import Transfer

Positive = Annotated[int, Meta(ge=1, le=2**53 - 1)]
"""How many there are of something that a run cannot be without."""

Folds = Annotated[int, Meta(ge=1, le=1000)]
"""Number of folds, or of divisions into them."""

Side = Annotated[int, Meta(ge=1, le=10_000)]
"""Side of the squares that networks see, in pixels."""

Threads = Annotated[int, Meta(ge=1, le=1024)]
"""Threads of a training: PyTorch dies of a number without end."""

Seeds = Annotated[int, Meta(ge=1, le=100)]
"""Number of trainings of each network on each fold."""

RunSeed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Seed that the seeds of all cells are made from."""

FoldNumber = Annotated[int, Meta(ge=-1, le=1000)]
"""A fold from 0, or `files.TEST_FOLD`."""

Share = Annotated[float, Meta(gt=0, le=1)]
"""Share of the groups of a training."""

BackboneName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]*[A-Za-z0-9_]\Z")]
"""Name of a backbone; names of folders are made of it, so it may not lead out of one."""

Plain = str | bool | int | float | None
"""A value of the identity of a run, which is compared and computes nothing."""

Recipe = dict[str, Count | Amount]
"""Settings of a training (`training.config.TrainConfig`) by name."""


class Weights(Struct, frozen=True):
    """ImageNet weights that a run began with, told by the XXH3 of their tensors."""

    origin: str
    xxh3: str


class Configuration(Struct, frozen=True):
    """What the run was asked to do.

    Attributes:
        weights: Name of their folder.
        share: Share of the groups of each training and validation part that took part.
    """

    data: tuple[str, ...]
    columns: dict[str, str]
    image_types: tuple[str, ...]
    backbones: tuple[BackboneName, ...]
    transfer: tuple[Transfer, ...]
    folds: Folds
    repeats: Folds
    seeds: Seeds
    image_size: Side = field(name="size")
    seed: RunSeed
    recipe: Recipe
    protocol: Literal["corrected", "poster"]
    near_duplicates: bool
    target: Target
    weights: str | None
    threads: Threads | None
    simulated: bool
    share: Share = 1.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if not self.recipe.get(name):
                raise ValueError(f"a recipe without `{name}`")


class Unreadable(Struct, frozen=True):
    """A photograph that was left out, and why."""

    image_id: str
    reason: str


class Unlabelled(Struct, frozen=True):
    """Rows of an archive that nobody can label for one reason, and how many have a file."""

    dataset: str
    reason: str
    rows: Count
    found: Count


class RunData(Struct, frozen=True):
    """What the archives list, what is there, and what took part.

    Attributes:
        licences: Archive -> terms that its rows state -> number of photographs.
    """

    fingerprint: str
    sources: tuple[Archive, ...]
    rows: Count
    found: Count
    absent: Count
    absent_examples: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    listed_twice: Count
    photographs: Count
    positives: Count
    patients: Count
    lesions: Count
    groups: Count
    unlabelled: tuple[Unlabelled, ...]
    notes: tuple[str, ...]
    licences: dict[str, dict[str, Count]]


class FoldSize(Struct, frozen=True):
    """What one fold holds."""

    fold: FoldNumber
    photographs: Count
    positives: Count
    groups: Count


class FoldSizes(Struct, frozen=True):
    """The folds of each division, and a fingerprint of them all."""

    fingerprint: str
    sizes: tuple[tuple[FoldSize, ...], ...]


class Skipped(Struct, frozen=True):
    """A network that cannot be trained, and why."""

    backbone: str
    transfer: str
    why: str


class RunRecord(Struct, frozen=True):
    """Content of run.json.

    Attributes:
        identity: What must be equal for a run to go on in its folder.
        weights: By backbone.
        versions: Package -> its version.
        files: By names of `files.TABLES`; a kill may have come before they were recorded.
    """

    identity: dict[str, Plain | dict[str, Plain | tuple[Plain, ...]]]
    weights: dict[str, Weights]
    threads: Threads
    melanoscope: str
    created: str
    configuration: Configuration
    hardware: Hardware
    data: RunData
    folds: FoldSizes
    versions: dict[str, str]
    skipped: tuple[Skipped, ...]
    files: FileRecords = {}

    def to_dict(self) -> dict[str, Any]:
        """Return what was read as plain values, by the keys of run.json."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class CellSeeds(Struct, frozen=True):
    """What was random in a cell (`runs.cell.CellKey.seeds`)."""

    division: RunSeed
    validation: RunSeed
    training: RunSeed


class CellRecord(Struct, frozen=True, kw_only=True):
    """Content of a cell's done.json.

    Attributes:
        cell: Its name, which tells the trainings of one network on one fold apart.
        identity: `identity_hash` of the run's identity.
        seconds: Duration of the training.
        files: By names of `files.CELL_FILES`.
        software: Versions and precision that the cell was trained with.
        n_train_positives: Positives trained on; None where a run of before does not say.
    """

    n_train: Positive
    n_validation: Count
    n_test: Positive
    epochs_run: Count
    best_epoch: Count
    cell: str
    seeds: CellSeeds
    seconds: Amount
    identity: str
    files: FileRecords
    software: dict[str, str]
    threads: Threads
    n_train_positives: Count | None = None


AnyRecord = TypeVar("AnyRecord", RunRecord, CellRecord)


def decode_record(content: Mapping[str, Any], kind: type[AnyRecord], place: str) -> AnyRecord:
    """Read a record of a run folder.

    Args:
        content: What JSON was read from the file.
        kind: The record it should be.
        place: The file, for the error.

    Returns:
        The record.

    Raises:
        RunError: A key is missing, of another type or out of range.

    >>> decode_record({"n_train": 0}, CellRecord, "done.json")
    Traceback (most recent call last):
    melanoscope.errors.RunError: expected done.json as a run writes it; found Expected `int`...
    """
    try:
        return msgspec.convert(content, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        found = str(error)
    except UnicodeEncodeError:  # half of a pair, which JSON can write and UTF-8 cannot
        found = "a text that is no Unicode"
    raise RunError(
        f"{place} as a run writes it", found, "run the benchmark again with this version"
    )
