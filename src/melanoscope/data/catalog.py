"""One validated table of photographs, whatever archive they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from melanoscope.data.archive import ROW_SCHEMA, SourceTable
from melanoscope.data.content_hash import content_hashes
from melanoscope.data.vocabulary import DIAGNOSES
from melanoscope.errors import DataError
from melanoscope.patient import MAX_AGE, SEXES, SITES


@dataclass(frozen=True)
class Catalog:
    """A validated table of photographs.

    Attributes:
        frame: Columns of `ROW_SCHEMA` and `group_id`, one row per image id, in the order of the
            sources. Photographs of one `group_id` (one patient, one lesion, duplicates) must stay
            on one side of a split.
        listed_twice: Ids that more than one source lists; the catalog holds one row of each.
    """

    frame: pl.DataFrame
    listed_twice: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def with_files(self) -> Catalog:
        """The photographs whose file exists."""
        return replace(self, frame=self.frame.drop_nulls("path"))

    @property
    def ids_without_file(self) -> list[str]:
        """Ids of the photographs that a table lists and whose file is absent."""
        return self.frame.filter(pl.col("path").is_null())["image_id"].to_list()

    def without(self, image_ids: Iterable[str]) -> Catalog:
        """Return a catalog that lacks the photographs of `image_ids`; unknown ids are ignored."""
        dropped = list(image_ids)
        return replace(self, frame=self.frame.filter(~pl.col("image_id").is_in(dropped)))

    def merge_groups(self, pairs: Sequence[tuple[str, str]]) -> Catalog:
        """Merge the groups of photographs that belong together, such as near-duplicates.

        Args:
            pairs: Pairs of image ids; the groups of both become one.

        Returns:
            A catalog whose merged groups bear the smallest of their names.

        Raises:
            KeyError: A pair names an id that the catalog lacks.
        """
        group_of = dict(self.frame.select("image_id", "group_id").iter_rows())
        names = sorted(set(group_of.values()))
        merged = _first_connected(names, [(group_of[a], group_of[b]) for a, b in pairs])
        group_id = pl.col("group_id").replace_strict(merged, return_dtype=pl.String)
        return replace(self, frame=self.frame.with_columns(group_id))

    def fingerprint(self, contents: Mapping[str, str] | None = None) -> str:
        """Hash what a training sees, whatever its rows' order and its folder (sha256).

        Args:
            contents: Hash of each photograph's file by image id, as a pixel store knows them;
                without it the files are read.

        Returns:
            64 hexadecimal digits, of the rows' columns and the files' content.
        """
        ids = self.frame["image_id"]
        hashes = (
            content_hashes(self.frame["path"].to_list())
            if contents is None
            else [contents.get(image_id) for image_id in ids]
        )
        columns = ["image_id", "dataset", "target", "group_id", "sex", "age", "site"]
        rows = self.frame.select(columns).with_columns(content=pl.Series(hashes, dtype=pl.String))
        digest = hashlib.sha256()
        for row in rows.sort("image_id").iter_rows():
            digest.update(repr(row).encode())
        return digest.hexdigest()


def build_catalog(tables: Sequence[SourceTable]) -> Catalog:
    """Join the tables of several archives into one catalog.

    A photograph that two archives list under one id (all of HAM10000 is in ISIC 2019) keeps one
    row: the first that has a file, else the first.

    Args:
        tables: One table per archive, at least one.

    Returns:
        The photographs of all archives, those of one patient, lesion or listed pair in one group.

    Raises:
        DataError: An id twice in one archive, or archives that disagree on a label.
    """
    for table in tables:
        _validate(table)
    listed = pl.concat(
        [t.rows.select(list(ROW_SCHEMA)).cast(pl.Schema(ROW_SCHEMA)) for t in tables]
    ).with_row_index("order")
    _refuse_conflicts(listed)
    kept = listed.sort(pl.col("path").is_null(), "order").unique("image_id", keep="first")
    listed_twice = listed.filter(pl.col("image_id").is_duplicated())["image_id"].unique()
    group_of = _group_ids(listed, [pair for table in tables for pair in table.duplicate_pairs])
    frame = kept.sort("order").drop("order")
    group_id = pl.col("image_id").replace_strict(group_of, return_dtype=pl.String)
    return Catalog(frame.with_columns(group_id=group_id), tuple(sorted(listed_twice)))


def _validate(table: SourceTable) -> None:
    rows, kind, ids = table.rows, table.kind, table.rows["image_id"]
    if rows.is_empty():
        raise DataError(f"rows in the table of {kind}", "none", "check the table's file")
    unnamed = ids.null_count() + (ids == "").sum()
    if unnamed:
        raise DataError(f"an image id in every row of {kind}", f"{unnamed} without", "name them")
    repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True)
    if len(repeated):
        raise DataError(
            f"one row per image id in {kind}",
            f"{len(repeated)} ids in several rows ({_abbreviate(repeated)})",
            "keep one row of each",
        )
    # Readers translate words; a new one that forgets to is found out here.
    for column, words in (("sex", SEXES), ("site", SITES), ("diagnosis", DIAGNOSES)):
        unlisted = rows.filter(~pl.col(column).is_in(list(words)) | pl.col(column).is_null())
        if not unlisted.is_empty():
            found = _abbreviate(unlisted[column].unique(maintain_order=True))
            raise DataError(f"{column} of {kind} among {', '.join(words)}", found, "correct them")
    ages = rows.filter(~pl.col("age").is_between(0, MAX_AGE) | pl.col("age").is_nan())
    if not ages.is_empty():
        raise DataError(
            f"ages of {kind} from 0 to {MAX_AGE:g} years or empty",
            f"{ages['age'][0]} for {ages['image_id'][0]}",
            "correct the table",
        )
    if not rows["target"].is_in([0, 1]).all() or rows["target"].null_count():
        raise DataError(f"target 0 or 1 in every row of {kind}", "other values", "correct them")
    conflicting = rows.filter((pl.col("diagnosis") == "melanoma") != (pl.col("target") == 1))
    if not conflicting.is_empty():
        raise DataError(
            f"target 1 for each melanoma of {kind} and for nothing else",
            f"{conflicting.height} rows otherwise ({_abbreviate(conflicting['image_id'])})",
            "correct one of the columns",
        )


def _refuse_conflicts(listed: pl.DataFrame) -> None:
    n_targets = pl.col("target").n_unique().over("image_id")
    ids = listed.filter(n_targets > 1)["image_id"].unique().sort()
    if len(ids):
        raise DataError(
            "archives that agree on a photograph's label",
            f"{len(ids)} ids with two labels ({_abbreviate(ids)})",
            "leave one of the archives out or correct its table",
        )


def _group_ids(listed: pl.DataFrame, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each image id to the smallest id that it shares a patient, a lesion or a pair with.

    Every row of every archive counts, kept or not: one may name the lesion that another leaves
    blank. So do paired ids without a row, which may join two that have one.
    """
    edges = list(pairs)
    for column in ("patient_id", "lesion_id"):
        known = listed.drop_nulls(column)
        edges += known.select("image_id", pl.first("image_id").over(column).alias("b")).iter_rows()
    image_ids = set(listed["image_id"])
    rowless = {name for pair in pairs for name in pair} - image_ids
    # Ids with a row come first, so that they name the groups.
    return _first_connected([*sorted(image_ids), *rowless], edges)


def _first_connected(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each of `names` to the first of them that `edges` connect it to."""
    node = {name: number for number, name in enumerate(names)}
    left, right = ([node[edge[end]] for edge in edges] for end in (0, 1))
    graph = coo_array((np.ones(len(edges), np.int8), (left, right)), shape=(len(node), len(node)))
    _, component = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(int(c), name) for name, c in zip(names, component, strict=True)}


def _abbreviate(values: Iterable[object], limit: int = 3) -> str:
    words = [str(value) for value in values]
    return ", ".join(words[:limit]) + (", ..." if len(words) > limit else "")
