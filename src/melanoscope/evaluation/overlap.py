"""Photographs that the network was developed on, found among those of another archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from melanoscope.data.catalog import Catalog
from melanoscope.data.development import (
    DEVELOPMENT,
    KINDS,
    find_development,
    read_development,
)
from melanoscope.inference.bundle import Bundle

_HELD_OUT = "test"
_FOUND = [f"in_{kind}" for kind in KINDS]


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What an archive shares with the photographs that the network was developed on.

    Attributes:
        listed: Whether the bundle lists those photographs; nothing can be told without.
        same_file: Photographs whose file is one of theirs.
        same_id: Photographs whose id is one of theirs, in archives that share ids.
        same_lesion: Photographs of one of their lesions.
        same_patient: Photographs of one of their patients.
        near_duplicates: Photographs that show the same picture as one of theirs; None where nobody
            looked, because the archives of the development were not named.
        left_out: Photographs that are not evaluated: those of every group of which one is found
            above, but for those found among the network's own test photographs alone.
        held_out: Photographs that are evaluated and belong to the network's own test photographs.
    """

    listed: bool
    same_file: int
    same_id: int
    same_lesion: int
    same_patient: int
    near_duplicates: int | None
    left_out: int
    held_out: int


@dataclass(frozen=True, eq=False)
class OverlapResult:
    """An overlap with the photographs that it is about.

    Attributes:
        overlap: What was found, in numbers.
        left_out: Ids of the photographs that are not to be evaluated.
        held_out: Ids of those of the network's own test photographs.
    """

    overlap: Overlap
    left_out: frozenset[str]
    held_out: frozenset[str]


def find_overlap(
    catalog: Catalog,
    contents: Mapping[str, str],
    bundle: Bundle,
    near: Mapping[str, str | None] | None = None,
) -> OverlapResult:
    """Find photographs that the network was developed on.

    Args:
        catalog: Photographs of the archive.
        contents: Hash of each photograph's file by image id.
        bundle: The network.
        near: Id of each near-duplicate of a development photograph -> what that was used for (None
            where nobody knows), as `near_duplicates_of_development` found; None where nobody
            looked.

    Returns:
        What was found.

    Raises:
        BundleError: The bundle's list cannot be read.
    """
    listed = DEVELOPMENT in bundle.manifest.files
    found = _found(catalog, contents, bundle) if listed else _nothing(catalog)
    close = pl.DataFrame(
        {
            "image_id": list(near or {}),
            "_near": [part or "unknown" for part in (near or {}).values()],
        },
        schema={"image_id": pl.String(), "_near": pl.String()},
    )
    found = found.join(close, on="image_id", how="left", maintain_order="left")
    parts = pl.concat_list(*_FOUND, "_near")
    learned = parts.list.eval(pl.element().is_not_null() & (pl.element() != _HELD_OUT)).list.any()
    rows = catalog.frame.select("image_id", "group_id").with_columns(
        found.select(
            learned=learned.fill_null(value=False),
            held_out=pl.any_horizontal(
                pl.col("in_content", "in_image_id").fill_null("") == _HELD_OUT
            ),
        )
    )
    rows = rows.with_columns(left_out=pl.col("learned").any().over("group_id"))
    left_out = frozenset(rows.filter("left_out")["image_id"])
    held_out = frozenset(rows.filter(pl.col("held_out") & ~pl.col("left_out"))["image_id"])
    counts = {name: found[name].count() for name in _FOUND}
    return OverlapResult(
        overlap=Overlap(
            listed=listed,
            same_file=counts["in_content"],
            same_id=counts["in_image_id"],
            same_lesion=counts["in_lesion_id"],
            same_patient=counts["in_patient_id"],
            near_duplicates=None if near is None else len(near),
            left_out=len(left_out),
            held_out=len(held_out),
        ),
        left_out=left_out,
        held_out=held_out,
    )


def with_contents(frame: pl.DataFrame, contents: Mapping[str, str]) -> pl.DataFrame:
    """Return the `frame` with the hash of each file, null where there is none."""
    hashes = [contents.get(name) for name in frame["image_id"]]
    return frame.with_columns(content=pl.Series(hashes, dtype=pl.String))


def _found(catalog: Catalog, contents: Mapping[str, str], bundle: Bundle) -> pl.DataFrame:
    hashes = read_development(bundle.folder / DEVELOPMENT)
    return find_development(with_contents(catalog.frame, contents), catalog.id_spaces, hashes)


def _nothing(catalog: Catalog) -> pl.DataFrame:
    nothing = [pl.lit(None, pl.String).alias(name) for name in _FOUND]
    return catalog.frame.select("image_id", *nothing)
