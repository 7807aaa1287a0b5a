"""A cell of a run: one network, trained once and tested on one fold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from melanoscope.errors import DataError, nearest
from melanoscope.transfers import TRANSFERS, Transfer

RowKey = tuple[str, str]
"""Backbone and transfer: all cells that share them are one row of the tables."""


@dataclass(frozen=True, order=True)
class CellKey:
    """Which network of a run, and which fold it is tested on.

    Attributes:
        repeat: Division into folds, from 0.
        fold: Fold of that division that the network is tested on, from 0.
        backbone: Name in the registry of backbones.
        transfer: How the network is begun and which of its weights are trained.
    """

    repeat: int
    fold: int
    backbone: str
    transfer: Transfer

    @property
    def name(self) -> str:
        """Name of the cell's folder in the run folder.

        >>> CellKey(0, 2, "vgg16", "scratch").name
        'vgg16-scratch-r0-f2'
        """
        return f"{self.backbone}-{self.transfer}-r{self.repeat}-f{self.fold}"

    @property
    def row(self) -> RowKey:
        """Row of the tables that the cell belongs to."""
        return self.backbone, self.transfer

    @property
    def split(self) -> tuple[int, int]:
        """Repeat and fold; networks that share them are tested on the same photographs."""
        return self.repeat, self.fold

    @staticmethod
    def named(name: str) -> CellKey:
        """Return the cell whose folder has a `name`.

        >>> CellKey.named("vgg16-scratch-r0-f2")
        CellKey(repeat=0, fold=2, backbone='vgg16', transfer='scratch')
        """
        backbone, transfer, repeat, fold = name.rsplit("-", 3)
        return CellKey(int(repeat[1:]), int(fold[1:]), backbone, parse_transfer(transfer))

    def seed(self, base: int) -> int:
        """Return a seed of 31 bits from the run's seed `base`, whatever the order of the cells."""
        digest = hashlib.sha256(f"{base}/{self.name}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1


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
