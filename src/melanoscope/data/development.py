"""The photographs that a network was developed on, as hashes that travel with it.

Whoever tests the network elsewhere has to find copies of them. A bundle is passed on, so it names
no photograph and no patient: it holds hashes of the files' content and, of archives whose ids mean
the same in every table (`SourceTable.id_space`), of the ids. That hides names from a glance; it is
no secret from somebody who holds a list of names to try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from melanoscope.atomic import atomic_path
from melanoscope.errors import BundleError
from melanoscope.tables.parquet_size import refuse_large_parquet

DEVELOPMENT = "development.parquet"
"""Its name in a bundle."""

PARTS = ("train", "calibration", "test")
"""What a photograph was used for; those of "test" are held out, and the network knows nothing of
them."""

KINDS = ("content", "image_id", "lesion_id", "patient_id")
"""What is hashed, from one photograph to all of one patient."""

_COLUMNS = {"part": pl.String(), "kind": pl.String(), "hash": pl.UInt64()}


def development_hashes(frame: pl.DataFrame, id_spaces: Mapping[str, str]) -> pl.DataFrame:
    """Hash what tells photographs, lesions and patients from others.

    Args:
        frame: Columns dataset, content (hash of the file, or null), image_id, lesion_id,
            patient_id, and part, one of `PARTS`.
        id_spaces: Name of an archive's table in `dataset` -> the space that its ids belong to; ids
            of others are not hashed.

    Returns:
        Columns part, kind (one of `KINDS`) and hash, sorted, each row once.

    >>> row = {"dataset": "isic", "content": "ff", "image_id": "ISIC_1", "lesion_id": None}
    >>> row |= {"patient_id": "IP_7", "part": "train"}
    >>> hashes = development_hashes(pl.DataFrame([row]), {"isic": "isic"})
    >>> hashes["kind"].to_list()
    ['content', 'image_id', 'patient_id']
    """
    found = [
        _hashed(frame, kind, id_spaces).select("part", pl.lit(kind).alias("kind"), "hash")
        for kind in KINDS
    ]
    return pl.concat(found).cast(pl.Schema(_COLUMNS)).unique().sort(*_COLUMNS)


def find_development(
    frame: pl.DataFrame, id_spaces: Mapping[str, str], hashes: pl.DataFrame
) -> pl.DataFrame:
    """Say of each photograph whether a network was developed on it, its lesion or its patient.

    Args:
        frame: Photographs, as in `development_hashes`, without part.
        id_spaces: As there.
        hashes: What `development_hashes` gave of the network's photographs.

    Returns:
        Column image_id, and for each of `KINDS` the part that it was found in, or null; where it is
        in several, the first of `PARTS`. One row per photograph, in the order of `frame`.
    """
    rank = pl.col("part").replace_strict({part: i for i, part in enumerate(PARTS)})
    first = hashes.sort(rank).unique(["kind", "hash"], keep="first", maintain_order=True)
    found = frame.select("image_id")
    for kind in KINDS:
        known = first.filter(kind=kind).select("hash", pl.col("part").alias(f"_{kind}"))
        mine = _hashed(frame.with_columns(part=pl.lit("")), kind, id_spaces)
        matched = mine.select("_image", "hash").join(known, on="hash")
        column = matched.select(image_id="_image", **{f"in_{kind}": f"_{kind}"})
        found = found.join(column, on="image_id", how="left", maintain_order="left")
    return found


def write_development(hashes: pl.DataFrame, path: Path) -> None:
    """Write what `development_hashes` gave."""
    with atomic_path(path) as partial:
        hashes.write_parquet(partial)


def read_development(path: Path) -> pl.DataFrame:
    """Read what `write_development` wrote; raise BundleError where it is something else."""
    try:
        refuse_large_parquet(path, _COLUMNS, error=BundleError)
        return pl.read_parquet(path, columns=list(_COLUMNS)).cast(pl.Schema(_COLUMNS))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise BundleError(f"a table in '{path}'", str(error), "make the bundle anew") from error


def _hashed(frame: pl.DataFrame, kind: str, id_spaces: Mapping[str, str]) -> pl.DataFrame:
    """Return columns part, _image and hash of the photographs of which `kind` is known."""
    space = pl.lit("")
    if kind != "content":
        space = pl.col("dataset").replace_strict(id_spaces, default=None, return_dtype=pl.String)
    known = frame.select("part", _image="image_id", value=kind, space=space).drop_nulls()
    texts = (f"{kind}\0{row[0]}\0{row[1]}" for row in known.select("space", "value").iter_rows())
    hashes = pl.Series("hash", [_hash(text) for text in texts], pl.UInt64)
    return known.select("part", "_image").with_columns(hashes)


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
