"""From the pixel store to batches: one gather from the memory map, nothing per photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler

from melanoscope import patient
from melanoscope.data.pixel_store import PixelStore

Batch = tuple[Tensor, Tensor, Tensor]
"""Pixels (n, h, w, 3) uint8, static data (n, `patient.WIDTH`), targets (n,) float32."""


@dataclass(frozen=True)
class LesionArrays:
    """Everything a network sees of a catalog, row by row of the catalog.

    Attributes:
        pixels: The store's photographs, shape (m, px, px, 3), uint8.
        rows: Row of each photograph in `pixels`, shape (n,).
        static: Shape (n, `patient.WIDTH`).
        targets: Shape (n,), 0 or 1.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    static: NDArray[np.float32]
    targets: NDArray[np.int8]

    def batch(self, indices: NDArray[np.int64] | list[int]) -> Batch:
        """Gather photographs by their row in the catalog."""
        chosen = np.asarray(indices, np.int64)
        return (
            torch.from_numpy(self.pixels[self.rows[chosen]]),
            torch.from_numpy(self.static[chosen]),
            torch.from_numpy(self.targets[chosen].astype(np.float32)),
        )


def arrays_of(frame: pl.DataFrame, store: PixelStore) -> LesionArrays:
    """Line up a catalog's frame with the store; every photograph must be in the store."""
    return LesionArrays(
        store.pixels,
        store.rows(frame["image_id"].to_list()),
        patient.encode(frame["age"].to_list(), frame["sex"].to_list(), frame["site"].to_list()),
        frame["target"].to_numpy().astype(np.int8),
    )


class _Gather(Dataset[Batch]):
    """Answers a list of positions with one batch."""

    def __init__(self, arrays: LesionArrays, chosen: NDArray[np.int64]) -> None:
        self.arrays, self.chosen = arrays, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, positions: list[int]) -> Batch:
        return self.arrays.batch(self.chosen[positions])


def training_batches(
    arrays: LesionArrays, chosen: NDArray[np.int64], batch_size: int, seed: int
) -> DataLoader[Batch]:
    """Shuffled batches of equal size; a rest that batch norm could not bear is left to chance."""
    size = min(batch_size, len(chosen))
    shuffled = RandomSampler(range(len(chosen)), generator=torch.Generator().manual_seed(seed))
    return DataLoader(
        _Gather(arrays, chosen),
        sampler=BatchSampler(shuffled, size, drop_last=True),
        batch_size=None,
    )


def ordered_batches(
    arrays: LesionArrays, chosen: NDArray[np.int64], batch_size: int = 256
) -> DataLoader[Batch]:
    """All photographs in the given order."""
    ordered = SequentialSampler(range(len(chosen)))
    return DataLoader(
        _Gather(arrays, chosen),
        sampler=BatchSampler(ordered, batch_size, drop_last=False),
        batch_size=None,
    )
