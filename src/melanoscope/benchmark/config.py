"""What a run is to do: its configuration, and the cells that follow from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from melanoscope.benchmark.splits import Protocol, poster_sources
from melanoscope.data.sources import DataSpec, parse_spec
from melanoscope.errors import DataError, nearest
from melanoscope.models.backbones import get_backbone
from melanoscope.training.config import TrainConfig
from melanoscope.transfers import TRANSFERS, Transfer


@dataclass(frozen=True)
class BenchmarkConfig:
    """A run's configuration.

    Attributes:
        data: Archives.
        backbones: Names of the registry.
        transfer: Arms of the comparison.
        folds: Test folds, at least 2.
        repeats: Divisions into folds, each by another seed.
        size: Side of the photographs in pixels.
        seed: Everything random follows from it.
        weights: Folder of pretrained weights, None for a package's or a download.
        recipe: How each network is trained.
        protocol: How photographs are divided and networks begun; "poster" also takes of ISIC 2019
            the melanomas only.
        near_duplicates: Whether near-duplicates that the audit finds are kept in one fold. The
            poster's protocol knows no groups.
    """

    data: tuple[DataSpec, ...]
    backbones: tuple[str, ...]
    transfer: tuple[Transfer, ...] = ("scratch", "finetune")
    folds: int = 5
    repeats: int = 1
    size: int = 224
    seed: int = 0
    weights: Path | None = None
    recipe: TrainConfig = field(default_factory=TrainConfig)
    protocol: Protocol = "corrected"
    near_duplicates: bool = True

    def __post_init__(self) -> None:
        if self.protocol == "poster":
            object.__setattr__(self, "data", poster_sources(self.data))
            object.__setattr__(self, "near_duplicates", False)
        if not self.backbones or not self.transfer:
            raise DataError("at least one backbone and one transfer arm", "none", "name them")
        for name in self.backbones:
            least = get_backbone(name).min_px
            if self.size < least:
                raise DataError(
                    f"photographs of at least {least} px for {name}", str(self.size), "raise --size"
                )
        if self.repeats < 1:
            raise DataError("at least 1 repeat", str(self.repeats), "raise --repeats")

    @classmethod
    def of(cls, configuration: dict[str, Any], data: Sequence[DataSpec] = ()) -> BenchmarkConfig:
        """Return the plan of a run's configuration, without its folder of weights.

        Args:
            configuration: Of run.json; settings that it does not name are those of runs that were
                begun before these existed.
            data: Where the archives are now; by default where they were.

        Raises:
            DataError: An archive or a setting that this version does not know.
        """
        return cls(
            data=tuple(data) or tuple(parse_spec(text) for text in configuration["data"]),
            backbones=tuple(configuration["backbones"]),
            transfer=tuple(configuration["transfer"]),
            folds=int(configuration["folds"]),
            repeats=int(configuration["repeats"]),
            size=int(configuration["size"]),
            seed=int(configuration["seed"]),
            recipe=TrainConfig(**configuration["recipe"]),
            protocol=configuration.get("protocol", "corrected"),
            near_duplicates=bool(configuration.get("near_duplicates", False)),
        )

    @property
    def simulated(self) -> bool:
        """Whether any photograph is simulated."""
        return any(spec.kind == "simulated" for spec in self.data)

    def identity(self) -> dict[str, Any]:
        """What must be equal for two runs to share a folder.

        Backbones and arms are left out, since a finished run may be given more of them.
        """
        return {
            "folds": self.folds,
            "repeats": self.repeats,
            "size": self.size,
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            "protocol": self.protocol,
            "near_duplicates": self.near_duplicates,
        }

    def configuration(self) -> dict[str, Any]:
        """Everything, as plain values for run.json."""
        return {
            "data": [str(spec) for spec in self.data],
            "backbones": list(self.backbones),
            "transfer": list(self.transfer),
            **self.identity(),
            "weights": None if self.weights is None else self.weights.name,
            "simulated": self.simulated,
        }


@dataclass(frozen=True, order=True)
class CellKey:
    """One network to train and test."""

    repeat: int
    fold: int
    backbone: str
    transfer: Transfer

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.backbone}-{self.transfer}-r{self.repeat}-f{self.fold}"

    @staticmethod
    def named(name: str) -> CellKey:
        """Return the cell of a folder's name.

        >>> CellKey.named("vgg16-scratch-r0-f2")
        CellKey(repeat=0, fold=2, backbone='vgg16', transfer='scratch')
        """
        backbone, arm, repeat, fold = name.rsplit("-", 3)
        return CellKey(int(repeat[1:]), int(fold[1:]), backbone, parse_transfers(arm)[0])

    def seed(self, base: int) -> int:
        """A seed of its own that does not depend on the order of the cells."""
        digest = hashlib.sha256(f"{base}/{self.name}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1


def cells_of(plan: BenchmarkConfig) -> list[CellKey]:
    """List the cells fold by fold: a stopped run has compared all networks on some folds."""
    return [
        CellKey(repeat, fold, backbone, arm)
        for repeat in range(plan.repeats)
        for fold in range(plan.folds)
        for backbone in plan.backbones
        for arm in plan.transfer
        if arm == "scratch" or get_backbone(backbone).pretrained
    ]


def skipped_transfers(backbones: Sequence[str], transfer: Sequence[str]) -> list[dict[str, str]]:
    """List what is asked for and cannot be: transfer of networks without weights."""
    return [
        {"backbone": name, "transfer": arm, "why": "no ImageNet weights exist for it"}
        for name in backbones
        for arm in transfer
        if arm != "scratch" and not get_backbone(name).pretrained
    ]


def parse_transfers(text: str) -> tuple[Transfer, ...]:
    """Parse comma-separated arms of the comparison.

    >>> parse_transfers("scratch,finetune")
    ('scratch', 'finetune')

    Raises:
        DataError: An unknown arm; names the nearest.
    """
    known: dict[str, Transfer] = {arm: arm for arm in TRANSFERS}
    names = split_names(text, ())
    for name in names:
        if name not in known:
            raise DataError("a known transfer arm", f"'{name}'", nearest(name, list(known)))
    return tuple(known[name] for name in names)


def split_names(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """Split a comma-separated option; the same name twice counts once.

    >>> split_names("a, b,a", ())
    ('a', 'b')
    """
    if text is None:
        return tuple(default)
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
