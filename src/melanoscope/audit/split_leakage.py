"""What a split by photograph would leak, and what near-duplicates say of each other."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.audit.near_duplicates import NearDuplicate
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import PixelStore
from melanoscope.imaging.decode import image_dimensions, read_image

_KINDS = ("conflict", "across", "within")


@dataclass(frozen=True)
class DuplicatePair:
    """Two photographs that show the same picture, with what the tables say of both."""

    a: str
    b: str
    relation: str
    likeness: float
    archives: tuple[str, str]
    targets: tuple[int, int]
    diagnoses: tuple[str, str]
    known: bool  # whether the tables already join them (one patient, one lesion, listed)
    kind: str  # "conflict" for two labels, else "across" two archives or "within" one


@dataclass(frozen=True)
class SplitLeakage:
    """What a random split by photograph would put on both sides."""

    by: str  # "patient", "lesion", "copies" (near-duplicates) or "group" (all of these joined)
    sets: int  # patients, lesions, pictures or groups with several photographs
    several: int  # photographs in these sets
    expected: float  # expected share of test photographs that share theirs with a training one


def describe_pairs(
    catalog: pl.DataFrame, pairs: Sequence[NearDuplicate]
) -> tuple[DuplicatePair, ...]:
    """Look each near-duplicate up in the catalog: conflicts first, then pairs across archives."""
    columns = ("dataset", "target", "diagnosis", "group_id")
    rows = {image_id: row for image_id, *row in catalog.select("image_id", *columns).iter_rows()}
    described = []
    for pair in pairs:
        archives, targets, diagnoses, groups = zip(rows[pair.a], rows[pair.b], strict=True)
        described.append(
            DuplicatePair(
                **vars(pair),
                archives=archives,
                targets=targets,
                diagnoses=diagnoses,
                known=groups[0] == groups[1],
                kind=_KINDS[0 if len(set(targets)) > 1 else 1 if len(set(archives)) > 1 else 2],
            )
        )
    return tuple(sorted(described, key=lambda p: (_KINDS.index(p.kind), -p.likeness, p.a)))


def random_split_leakage(
    catalog: Catalog, pairs: Sequence[tuple[str, str]] = (), test_share: float = 0.2
) -> tuple[SplitLeakage, ...]:
    """Compute what a split by photograph leaks, by patient, lesion, near-duplicate and group."""
    ungrouped = replace(catalog, frame=catalog.frame.with_columns(group_id="image_id"))
    columns = {
        "patient": catalog.frame["patient_id"],
        "lesion": catalog.frame["lesion_id"],
        "copies": ungrouped.merge_groups(pairs).frame["group_id"],
        "group": catalog.merge_groups(pairs).frame["group_id"],
    }
    return tuple(_leakage(by, names, test_share) for by, names in columns.items())


def _leakage(by: str, names: pl.Series, test_share: float) -> SplitLeakage:
    """Compute the leakage of photographs that share a name; a null shares with none."""
    # A photograph of a set of g leaks unless its g - 1 fellows are all in the test part, too. With
    # t of n photographs drawn for the test, the chance that all are is the product over i of
    # (t - 1 - i) / (n - 1 - i), i from 0 to g - 2.
    n, n_test = len(names), round(test_share * len(names))
    sizes = names.drop_nulls().value_counts()["count"].to_numpy()
    sizes = sizes[sizes > 1]
    leaked = 0.0
    for size, times in zip(*np.unique(sizes, return_counts=True), strict=True):
        i = np.arange(size - 1)
        together = np.prod(np.clip(n_test - 1 - i, 0, None) / np.maximum(n - 1 - i, 1))
        leaked += int(size) * int(times) * (1 - float(together))
    return SplitLeakage(by, sets=int(sizes.size), several=int(sizes.sum()), expected=leaked / n)


def same_files(store: PixelStore) -> tuple[tuple[str, ...], ...]:
    """Find files that are equal byte for byte: groups of ids, each sorted, of two or more."""
    return _equal(store.contents.items())


def same_pixels(
    catalog: pl.DataFrame, store: PixelStore, same_bytes: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], ...]:
    """Find files that differ but decode to the same pixels; of `same_bytes` one stands for all."""
    # Those equal at the store's small size are decoded again, at the shorter side of their file.
    twins = {image_id for group in same_bytes for image_id in group[1:]}
    paths = dict(catalog.select("image_id", "path").iter_rows())
    alike = _equal(
        (image_id, hashlib.sha256(store.pixels[store.row_of[image_id]].tobytes()).digest())
        for image_id in paths
        if image_id not in twins
    )
    return _equal(
        (image_id, _full_size_pixels(Path(paths[image_id])))
        for group in alike
        for image_id in group
    )


def _full_size_pixels(path: Path) -> tuple[tuple[int, int], bytes]:
    """Return an image's width and height, and a hash of its pixels at the shorter side."""
    size = image_dimensions(path)
    return size, hashlib.sha256(read_image(path, min(size)).tobytes()).digest()


def _equal(contents: Iterable[tuple[str, object]]) -> tuple[tuple[str, ...], ...]:
    """Group ids whose contents are equal; sorted, without groups of one."""
    ids = defaultdict(list)
    for image_id, content in contents:
        ids[content].append(image_id)
    return tuple(sorted(tuple(sorted(group)) for group in ids.values() if len(group) > 1))
