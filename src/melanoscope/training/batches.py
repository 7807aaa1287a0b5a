"""From the pixel store to batches: one gather from the memory map, nothing per photograph."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler, SequentialSampler

from melanoscope import patient
from melanoscope.data.pixel_store import PixelStore

Batch = tuple[Tensor, Tensor, Tensor]
"""Pixels (n, h, w, 3) uint8, static data (n, `patient.WIDTH`) float32, targets (n,) float32."""


@dataclass(frozen=True)
class LesionArrays:
    """Pixels, static data and targets of a catalog; row i of all but `pixels` is its row i.

    Attributes:
        pixels: Photographs of the pixel store, shape (m, image_size, image_size, 3), uint8.
        rows: Index into `pixels` of each row of the catalog, shape (n,).
        static: Age, sex and site by `patient.encode`, shape (n, `patient.WIDTH`).
        targets: 1 for melanoma, else 0, shape (n,).
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    static: NDArray[np.float32]
    targets: NDArray[np.int8]

    def batch(self, rows: NDArray[np.int64] | list[int]) -> Batch:
        """Gather the photographs, static data and targets of `rows` of the catalog."""
        chosen = np.asarray(rows, np.int64)
        return (
            torch.from_numpy(self.pixels[self.rows[chosen]]),
            torch.from_numpy(self.static[chosen]),
            torch.from_numpy(self.targets[chosen].astype(np.float32)),
        )


def arrays_of(frame: pl.DataFrame, store: PixelStore) -> LesionArrays:
    """Line up a catalog with its pixel store by image id.

    Args:
        frame: A catalog's frame; every one of its photographs is in the store.
        store: Decoded photographs.

    Returns:
        The arrays, in the order of `frame`.
    """
    return LesionArrays(
        pixels=store.pixels,
        rows=store.rows(frame["image_id"].to_list()),
        static=patient.encode(
            frame["age"].to_list(), frame["sex"].to_list(), frame["site"].to_list()
        ),
        targets=frame["target"].to_numpy().astype(np.int8),
    )


class _BatchDataset(Dataset[Batch]):
    """Answers a list of positions in `rows` with one batch, not with one photograph."""

    def __init__(self, arrays: LesionArrays, rows: NDArray[np.int64]) -> None:
        self.arrays, self.rows = arrays, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, positions: list[int]) -> Batch:
        return self.arrays.batch(self.rows[positions])


class _ShuffledBatches(Sampler[list[int]]):
    """One permutation an epoch, cut into batches of equal size.

    PyTorch's `RandomSampler` draws a second permutation when it is read to its end, so that the
    next epoch's order would depend on how the loop stops.
    """

    def __init__(self, dataset: Sized, batch_size: int, generator: Generator) -> None:
        self.dataset, self.batch_size, self.generator = dataset, batch_size, generator

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(len(self.dataset), generator=self.generator)
        for index in range(len(self)):
            yield order[index * self.batch_size :][: self.batch_size].tolist()


def training_batches(
    arrays: LesionArrays, rows: NDArray[np.int64], batch_size: int, seed: int
) -> DataLoader[Batch]:
    """Return shuffled batches of equal size for training.

    Each epoch leaves out another rest of fewer than `batch_size` photographs: batch norm could not
    bear a batch of one.

    Args:
        arrays: Photographs, static data and targets of the catalog.
        rows: Rows to learn from, shape (n,).
        batch_size: Photographs per batch; n where that is smaller.
        seed: Seed of the shuffling.

    Returns:
        A loader of (n // batch_size) batches.
    """
    dataset = _BatchDataset(arrays, rows)
    generator = Generator().manual_seed(seed)
    sampler = _ShuffledBatches(dataset, min(batch_size, len(rows)), generator)
    return DataLoader(dataset, sampler=sampler, batch_size=None)


def ordered_batches(
    arrays: LesionArrays, rows: NDArray[np.int64], batch_size: int = 256
) -> DataLoader[Batch]:
    """Return batches of all `rows` in their order, of `batch_size` photographs at most."""
    dataset = _BatchDataset(arrays, rows)
    sampler = BatchSampler(SequentialSampler(dataset), batch_size, drop_last=False)
    return DataLoader(dataset, sampler=sampler, batch_size=None)
