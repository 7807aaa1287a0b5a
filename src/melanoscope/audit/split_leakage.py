"""What a split by photograph would leak, and what copies say of each other."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.data.catalog import Catalog
from melanoscope.imaging.decode import image_dimensions, read_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from melanoscope.audit.near_duplicates import NearDuplicate


@dataclass(frozen=True)
class Copies:
    """A pair of photographs that show the same picture, with what the tables say of both.

    Attributes:
        a: An id.
        b: Another.
        relation: What was done to one of them.
        likeness: 0..1.
        archives: Of both.
        targets: Of both.
        diagnoses: Of both.
        known: Whether the tables already join them (one patient, one lesion, listed).
        kind: "conflict": two labels; "across": two archives; "within": one.
    """

    a: str
    b: str
    relation: str
    likeness: float
    archives: tuple[str, str]
    targets: tuple[int, int]
    diagnoses: tuple[str, str]
    known: bool
    kind: str


@dataclass(frozen=True)
class SplitLeakage:
    """What a random split by photograph would put on both sides.

    Attributes:
        by: "patient", "lesion", "copies" (near-duplicates) or "group" (all of these joined).
        sets: Patients, lesions, pictures or groups with several photographs.
        several: Photographs that share theirs with another.
        expected: Expected share of test photographs with another of theirs in training.
    """

    by: str
    sets: int
    several: int
    expected: float


def describe_pairs(catalog: pl.DataFrame, pairs: Sequence[NearDuplicate]) -> tuple[Copies, ...]:
    """Look both photographs of each pair up; conflicts first, then pairs across archives.

    Args:
        catalog: Usable photographs, their groups without the pairs.
        pairs: Near-duplicates among them.
    """
    columns = ("image_id", "dataset", "target", "diagnosis", "group_id")
    rows = {row[0]: row for row in catalog.select(columns).iter_rows()}
    found = []
    for pair in pairs:
        a, b = rows[pair.a], rows[pair.b]
        kind = "conflict" if a[2] != b[2] else "across" if a[1] != b[1] else "within"
        found.append(
            Copies(
                pair.a,
                pair.b,
                pair.relation,
                pair.likeness,
                (a[1], b[1]),
                (int(a[2]), int(b[2])),
                (a[3], b[3]),
                a[4] == b[4],
                kind,
            )
        )
    order = {"conflict": 0, "across": 1, "within": 2}
    return tuple(sorted(found, key=lambda one: (order[one.kind], -one.likeness, one.a)))


def random_split_leakage(
    catalog: pl.DataFrame,
    joined: pl.DataFrame,
    test_share: float = 0.2,
    copies: Sequence[tuple[str, str]] = (),
) -> tuple[SplitLeakage, ...]:
    """Compute what a split by photograph leaks, by patient, lesion, copy and group.

    Args:
        catalog: Usable photographs.
        joined: The same with near-duplicates joined in group_id.
        test_share: Part that is tested on, between 0 and 1.
        copies: Near-duplicates.
    """
    columns = {
        "patient": catalog["patient_id"].drop_nulls(),
        "lesion": catalog["lesion_id"].drop_nulls(),
        "copies": _by_picture(catalog, copies),
        "group": joined["group_id"],
    }
    return tuple(
        SplitLeakage(name, *_leak(np.array(column), catalog.height, test_share))
        for name, column in columns.items()
    )


def _by_picture(catalog: pl.DataFrame, copies: Sequence[tuple[str, str]]) -> pl.Series:
    alone = Catalog(catalog.with_columns(group_id=pl.col("image_id")))
    return alone.merge_groups(copies).frame["group_id"]


def _leak(names: NDArray[np.object_], n: int, share: float) -> tuple[int, int, float]:
    """A photograph of a set of g leaks unless its g - 1 fellows are all in the test part, too.

    With t of n photographs drawn for the test, the chance that all are is the product over i of
    (t - 1 - i) / (n - 1 - i), i from 0 to g - 2.
    """
    if not names.size:
        return 0, 0, 0.0
    sizes = np.unique(names.astype(str), return_counts=True)[1]
    tested = round(share * n)
    leaked = 0.0
    for size, times in zip(*np.unique(sizes, return_counts=True), strict=True):
        i = np.arange(size - 1)
        together = np.prod(np.clip(tested - 1 - i, 0, None) / np.maximum(n - 1 - i, 1))
        leaked += int(size) * int(times) * (1 - float(together) if size > 1 else 0.0)
    several = sizes[sizes > 1]
    return int(several.size), int(several.sum()), leaked / n


def same_files(catalog: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Groups of ids whose files are equal byte for byte."""
    by_size = defaultdict(list)
    for name, path in catalog.select("image_id", "path").iter_rows():
        by_size[Path(path).stat().st_size].append((name, path))
    by_content = defaultdict(list)
    for rows in by_size.values():
        for name, path in rows if len(rows) > 1 else []:
            by_content[hashlib.sha256(Path(path).read_bytes()).hexdigest()].append(name)
    return tuple(sorted(tuple(sorted(names)) for names in by_content.values() if len(names) > 1))


def same_pixels(
    catalog: pl.DataFrame, pixels: NDArray[np.uint8], same_bytes: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], ...]:
    """Groups of ids whose files differ and decode to the same pixels: only their headers differ.

    Photographs equal at a small size are decoded again, at the shorter side of their file.

    Args:
        catalog: Usable photographs.
        pixels: Their decoded squares, row by row, shape (n, px, px, 3).
        same_bytes: Groups of `same_files`; of each, one photograph stands for all.
    """
    twins = {name for group in same_bytes for name in group[1:]}
    rows = list(catalog.select("image_id", "path").iter_rows())
    alike = defaultdict(list)
    for (name, path), one in zip(rows, pixels, strict=True):
        if name not in twins:
            alike[hashlib.sha256(one.tobytes()).digest()].append((name, Path(path)))
    found = defaultdict(list)
    for members in alike.values():
        for name, path in members if len(members) > 1 else []:
            size = image_dimensions(path)
            content = read_image(path, min(size)).tobytes()
            found[size, hashlib.sha256(content).digest()].append(name)
    return tuple(sorted(tuple(sorted(names)) for names in found.values() if len(names) > 1))
