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
    """Pixels, static data and targets of n photographs; row i of all but `pixels` is photograph i.

    Attributes:
        image_id: Id of each photograph in the catalog, shape (n,).
        pixels: Photographs of the pixel store, shape (m, image_size, image_size, 3), uint8.
        rows: Index into `pixels` of each photograph, shape (n,).
        static: Age, sex and site by `patient.encode`, shape (n, `patient.WIDTH`).
        targets: 1 for positive lesions, else 0, shape (n,).
    """

    image_id: NDArray[np.str_]
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
    """Line up the `frame` of a catalog, in its order, with its photographs in a `store`."""
    image_ids = frame["image_id"].to_list()
    return LesionArrays(
        image_id=np.array(image_ids, np.str_),
        pixels=store.pixels,
        rows=store.rows(image_ids),
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
    arrays: LesionArrays, rows: NDArray[np.int64], batch_size: int, generator: Generator
) -> DataLoader[Batch]:
    """Return batches of `batch_size` photographs, shuffled by `generator` anew in each epoch."""
    # Each epoch leaves out another rest, which may be one photograph: batch norm could not bear it.
    dataset = _BatchDataset(arrays, rows)
    sampler = _ShuffledBatches(dataset, min(batch_size, len(rows)), generator)
    return DataLoader(dataset, sampler=sampler, batch_size=None)


def ordered_batches(
    arrays: LesionArrays, rows: NDArray[np.int64], batch_size: int = 256
) -> DataLoader[Batch]:
    """Return batches of all `rows` in their order, of `batch_size` photographs at most."""
    dataset = _BatchDataset(arrays, rows)
    sampler = BatchSampler(SequentialSampler(dataset), batch_size, drop_last=False)
    return DataLoader(dataset, sampler=sampler, batch_size=None)
