"""What a run is to do: its configuration, and the cells that follow from it.

The command line takes its defaults from here, so PyTorch and polars are imported only when used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.errors import DataError
from melanoscope.runs.cell import CellKey, parse_transfer
from melanoscope.target import MELANOMA, Target
from melanoscope.training.config import TrainConfig, refuse_beyond
from melanoscope.transfers import Transfer

if TYPE_CHECKING:
    from melanoscope.benchmark.splits import Protocol
    from melanoscope.data.sources import DataSpec

MOST_REPEATS = 1000
MOST_SEEDS = 100
MOST_PX = 4096
MOST_THREADS = 1024  # of some ten thousand PyTorch dies
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class BenchmarkConfig:
    """Configuration of a run.

    Attributes:
        data: Archives to read.
        backbones: Names in the registry of backbones.
        transfer: Transfers to compare.
        folds: Number of test folds, at least 2.
        repeats: Number of divisions into folds, each by a seed of its own, 1 to 1,000.
        seeds: Number of trainings of each network on each fold, 1 to 100; they differ in the seed
            of the training alone.
        image_size: Side in pixels of the photographs that a network sees, at most 4,096.
        seed: Seed that everything random follows from, 0 to 2^32 - 1.
        weights: Folder of pretrained weights; None for those of a package or a download.
        train: How each network is trained.
        protocol: How photographs are divided and networks begun. "poster" also takes the melanomas
            only of ISIC 2019.
        near_duplicates: Whether near-duplicate photographs are kept in one fold. Always false with
            the poster's protocol, which knows no groups.
        target: Which lesions count as positive.
        columns: Our name of a column -> its name in own tables.
        image_types: Types of photographs that take part; empty: all.
        threads: Threads of each training, 1 to 1,024; None for one a core. A run that is taken up
            keeps the number it began with, since another one gives other bits.
        share: Share of the groups of each training and validation part, above 0, to 1. Below 1 each
            training of a network on a fold (`seeds`) draws groups of its own.

    Raises:
        DataError: No backbone or no transfer is named, a number is out of range, a backbone is
            unknown, the photographs are too small for one, or the poster's protocol has another
            target than melanoma, or a share of the photographs.
    """

    data: tuple[DataSpec, ...]
    backbones: tuple[str, ...]
    transfer: tuple[Transfer, ...] = ("scratch", "finetune")
    folds: int = 5
    repeats: int = 1
    seeds: int = 1
    image_size: int = 224
    seed: int = 0
    weights: Path | None = None
    train: TrainConfig = field(default_factory=TrainConfig)
    protocol: Protocol = "corrected"
    near_duplicates: bool = True
    target: Target = MELANOMA
    columns: tuple[tuple[str, str], ...] = ()
    image_types: tuple[str, ...] = ()
    threads: int | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        from melanoscope.benchmark.splits import poster_sources
        from melanoscope.models.backbones import get_backbone

        if self.threads is not None:
            refuse_beyond(self.threads, 1, MOST_THREADS, "--threads")
        refuse_beyond(self.image_size, 1, MOST_PX, "--size")
        refuse_beyond(self.repeats, 1, MOST_REPEATS, "--repeats")
        refuse_beyond(self.seeds, 1, MOST_SEEDS, "--seeds")
        refuse_beyond(self.seed, 0, MOST_SEED, "--seed")
        if not 0 < self.share <= 1:
            raise DataError("a share above 0, to 1", f"{self.share}", "state a tenth as 0.1")
        if self.protocol == "poster":
            if self.share < 1:
                raise DataError(
                    "all photographs with the poster's protocol",
                    f"a share of {self.share:g}",
                    "leave out --protocol or --shares",
                )
            if self.target.name != MELANOMA.name or self.target.diagnoses:
                raise DataError(
                    "the target melanoma with the poster's protocol",
                    self.target.name,
                    "leave out --protocol or --target",
                )
            object.__setattr__(self, "data", poster_sources(self.data))
            object.__setattr__(self, "near_duplicates", False)
        if not self.backbones or not self.transfer:
            raise DataError("at least one backbone and one transfer", "none", "name them")
        for name in self.backbones:
            least = get_backbone(name).min_px
            if self.image_size < least:
                raise DataError(
                    f"photographs of at least {least} px for {name}",
                    str(self.image_size),
                    "raise --size",
                )

    @classmethod
    def from_dict(
        cls, configuration: Mapping[str, Any], data: Sequence[DataSpec] = ()
    ) -> BenchmarkConfig:
        """Return the configuration that `to_dict` wrote, without its folder of weights.

        Args:
            configuration: "configuration" of run.json.
            data: Where the archives are now; by default where they were.

        Returns:
            The configuration.

        Raises:
            DataError: This version does not know an archive or a setting.
        """
        from melanoscope.benchmark.splits import parse_protocol
        from melanoscope.data.sources import parse_spec

        try:
            recipe = TrainConfig(**configuration["recipe"])
        except TypeError:
            found = ", ".join(map(str, configuration["recipe"]))
            raise DataError("a recipe of this version", found, "run again") from None
        return cls(
            data=tuple(data) or tuple(parse_spec(text) for text in configuration["data"]),
            backbones=tuple(configuration["backbones"]),
            transfer=tuple(configuration["transfer"]),
            folds=configuration["folds"],
            repeats=configuration["repeats"],
            seeds=configuration["seeds"],
            image_size=configuration["size"],
            seed=configuration["seed"],
            train=recipe,
            protocol=parse_protocol(configuration["protocol"]),
            near_duplicates=configuration["near_duplicates"],
            target=Target.from_dict(configuration["target"]),
            columns=tuple(configuration["columns"].items()),
            image_types=tuple(configuration["image_types"]),
            threads=configuration["threads"],
            share=configuration.get("share", 1.0),
        )

    @property
    def simulated(self) -> bool:
        """Whether any photograph is simulated."""
        return any(spec.kind == "simulated" for spec in self.data)

    def identity(self) -> dict[str, Any]:
        """Return what must be equal for two runs to share a folder.

        Backbones, transfers and the number of seeds are left out, since a finished run may be given
        more of them.
        """
        return {
            "target": self.target.to_dict(),
            "folds": self.folds,
            "repeats": self.repeats,
            "size": self.image_size,
            "seed": self.seed,
            "recipe": asdict(self.train),
            "protocol": self.protocol,
            "near_duplicates": self.near_duplicates,
            # Left out of whole runs, so that those of before are the same runs.
            **({"share": self.share} if self.share < 1 else {}),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for "configuration" of run.json."""
        return {
            "data": [str(spec) for spec in self.data],
            "columns": dict(self.columns),
            "image_types": list(self.image_types),
            "backbones": list(self.backbones),
            "transfer": list(self.transfer),
            **self.identity(),
            "seeds": self.seeds,
            "weights": None if self.weights is None else self.weights.name,
            "threads": self.threads,
            "simulated": self.simulated,
        }


def cells_of(config: BenchmarkConfig) -> list[CellKey]:
    """List the cells of a run in the order of their training.

    Fold by fold, so that a stopped run has compared all networks; further seeds come last, so that
    it has done so on all folds.

    Args:
        config: Configuration of the run.

    Returns:
        All cells but those of transfers without ImageNet weights.
    """
    from melanoscope.models.backbones import get_backbone

    return [
        CellKey(repeat, fold, backbone, transfer, seed_index)
        for seed_index in range(config.seeds)
        for repeat in range(config.repeats)
        for fold in range(config.folds)
        for backbone in config.backbones
        for transfer in config.transfer
        if transfer == "scratch" or get_backbone(backbone).pretrained
    ]


def parse_transfers(text: str) -> tuple[Transfer, ...]:
    """Parse comma-separated names of transfers, each once.

    >>> parse_transfers("scratch,finetune")
    ('scratch', 'finetune')
    """
    return tuple(parse_transfer(name) for name in split_names(text, ()))


def split_names(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """Split a comma-separated option into its names, each once; None gives the `default`.

    >>> split_names("a, b,a", ())
    ('a', 'b')
    """
    if text is None:
        return tuple(default)
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
