"""A cell of a run: one network, trained once on one division and tested on one fold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from melanoscope.errors import DataError, nearest
from melanoscope.seeds import Purpose, derive_seed
from melanoscope.transfers import TRANSFERS, Transfer

RowKey = tuple[str, str]
"""Backbone and transfer: all cells that share them are one row of the tables."""

_NAME = re.compile(r"(.+)-(\w+)-r(\d+)-f(\d+)(?:-s([1-9]\d*))?", re.ASCII)


@dataclass(frozen=True, order=True)
class CellKey:
    """Which network of a run, which fold it is tested on, and which of its trainings it is.

    Attributes:
        repeat: Division into folds, from 0.
        fold: Fold of that division that the network is tested on, from 0.
        backbone: Name in the registry of backbones.
        transfer: How the network is begun and which of its weights are trained.
        seed_index: Which training of this network on this fold, from 0; they differ in the seed of
            everything random in a training, and in nothing else.
    """

    repeat: int
    fold: int
    backbone: str
    transfer: Transfer
    seed_index: int = 0

    @property
    def name(self) -> str:
        """Name of the cell's folder in the run folder; a further training is told by its number.

        >>> CellKey(0, 2, "vgg16", "scratch").name
        'vgg16-scratch-r0-f2'
        >>> CellKey(0, 2, "vgg16", "scratch", seed_index=1).name
        'vgg16-scratch-r0-f2-s1'
        """
        further = f"-s{self.seed_index}" if self.seed_index else ""
        return f"{self.backbone}-{self.transfer}-r{self.repeat}-f{self.fold}{further}"

    @property
    def row(self) -> RowKey:
        """Row of the tables that the cell belongs to."""
        return self.backbone, self.transfer

    @property
    def split(self) -> tuple[int, int]:
        """Repeat and fold; networks that share them are tested on the same photographs."""
        return self.repeat, self.fold

    @property
    def is_first(self) -> bool:
        """Whether it is of the first division, and the first training there."""
        return self.repeat == 0 and self.seed_index == 0

    @staticmethod
    def named(name: str) -> CellKey:
        """Return the cell whose folder has a `name`; a `DataError` says why none has.

        >>> CellKey.named("vgg16-scratch-r0-f2")
        CellKey(repeat=0, fold=2, backbone='vgg16', transfer='scratch', seed_index=0)
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise DataError("a cell's name", f"'{name}'", "name it as vgg16-scratch-r0-f2")
        backbone, transfer, *numbers = found.groups(default="0")
        repeat, fold, seed_index = map(int, numbers)
        return CellKey(repeat, fold, backbone, parse_transfer(transfer), seed_index)

    def seeds(self, seed: int) -> dict[str, int]:
        """Return what is random in a cell, from the run's `seed`, as done.json records it.

        Args:
            seed: Seed of the run.

        Returns:
            Seeds of the "division" into folds, of the "validation" part and of the "training".
        """
        repeat, fold = self.split
        return {
            "division": derive_seed(seed, Purpose.DIVISION, repeat=repeat),
            "validation": derive_seed(seed, Purpose.VALIDATION, repeat=repeat, fold=fold),
            "training": derive_seed(
                seed,
                Purpose.TRAINING,
                repeat=repeat,
                fold=fold,
                network=f"{self.backbone}-{self.transfer}",
                seed_index=self.seed_index,
            ),
        }


def parse_transfer(text: str) -> Transfer:
    """Return `text` as a transfer; where it is none, a `DataError` names the nearest."""
    known: dict[str, Transfer] = {transfer: transfer for transfer in TRANSFERS}
    if text not in known:
        raise DataError("a known transfer", f"'{text}'", nearest(text, list(known)))
    return known[text]


def skipped_transfers(backbones: Sequence[str], transfers: Sequence[str]) -> list[dict[str, str]]:
    """List, for run.json, the rows that cannot be: transfer without ImageNet weights."""
    from melanoscope.models.backbones import get_backbone  # PyTorch: readers do without it

    return [
        {"backbone": name, "transfer": transfer, "why": "no ImageNet weights exist for it"}
        for name in backbones
        for transfer in transfers
        if transfer != "scratch" and not get_backbone(name).pretrained
    ]
