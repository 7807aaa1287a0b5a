"""One validated table of photographs, whatever archive they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from melanoscope.data.vocabulary import DIAGNOSES
from melanoscope.errors import DataError
from melanoscope.patient import MAX_AGE, SEXES, SITES

ROW_SCHEMA: dict[str, type[pl.DataType]] = {
    "image_id": pl.String,
    "path": pl.String,  # null: the table lists the photograph, its file is absent
    "dataset": pl.String,
    "patient_id": pl.String,
    "lesion_id": pl.String,
    "sex": pl.String,
    "age": pl.Float64,
    "site": pl.String,
    "diagnosis": pl.String,
    "target": pl.Int8,  # 1: melanoma
}


@dataclass(frozen=True)
class SourceTable:
    """What one archive says of its photographs.

    Attributes:
        kind: Name of the source, such as "isic2020".
        rows: Columns of `ROW_SCHEMA`, one row per photograph of the archive's table.
        same: Pairs of image ids that the archive lists as duplicates.
    """

    kind: str
    rows: pl.DataFrame
    same: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Catalog:
    """Validated photographs; `group_id` joins those that must stay on one side of a split.

    Attributes:
        frame: Columns of `ROW_SCHEMA` and `group_id`, sorted as the sources gave them.
        listed_twice: Ids that more than one source listed; one row of each was kept.
    """

    frame: pl.DataFrame
    listed_twice: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def present(self) -> Catalog:
        """The photographs whose file is there."""
        return Catalog(self.frame.filter(pl.col("path").is_not_null()), self.listed_twice)

    @property
    def absent(self) -> list[str]:
        """Ids that a table lists and no file bears."""
        return self.frame.filter(pl.col("path").is_null())["image_id"].to_list()

    def without(self, image_ids: Iterable[str]) -> Catalog:
        """Leave out photographs by id."""
        gone = list(image_ids)
        return Catalog(self.frame.filter(~pl.col("image_id").is_in(gone)), self.listed_twice)

    def joined(self, pairs: Sequence[tuple[str, str]]) -> Catalog:
        """Join the groups of each pair of photographs, near-duplicates for example.

        Raises:
            KeyError: An id that is not in the catalog.
        """
        group = dict(self.frame.select("image_id", "group_id").iter_rows())
        name_of = _smallest_names(set(group.values()), [(group[a], group[b]) for a, b in pairs])
        renamed = self.frame["group_id"].replace_strict(name_of, return_dtype=pl.String)
        return Catalog(self.frame.with_columns(renamed.alias("group_id")), self.listed_twice)

    def fingerprint(self) -> str:
        """Return a sha256 over ids, archives, labels, groups, static data and file sizes.

        It does not depend on the order of rows or on where the files lie.
        """
        sizes = [Path(p).stat().st_size if p else -1 for p in self.frame["path"]]
        columns = ["image_id", "dataset", "target", "group_id", "sex", "age", "site"]
        rows = self.frame.select(columns).with_columns(size=pl.Series(sizes, dtype=pl.Int64))
        digest = hashlib.sha256()
        for row in sorted(rows.iter_rows()):
            digest.update(repr(row).encode())
        return digest.hexdigest()


def build_catalog(tables: Sequence[SourceTable]) -> Catalog:
    """Join the tables of several archives into one catalog.

    A photograph that two archives list under one id (all of HAM10000 is in ISIC 2019) keeps one
    row: the first that has a file, else the first.

    Raises:
        DataError: Two rows of one archive with one id, archives that disagree on a label, or values
            outside their vocabulary.
    """
    for table in tables:
        _validate(table)
    joined = pl.concat(
        [t.rows.select(list(ROW_SCHEMA)).cast(pl.Schema(ROW_SCHEMA)) for t in tables]
    )
    joined = joined.with_row_index("order")
    _refuse_conflicts(joined)
    kept = joined.sort(pl.col("path").is_null(), "order").unique(
        "image_id", keep="first", maintain_order=True
    )
    counts = joined["image_id"].value_counts().filter(pl.col("count") > 1)
    frame = kept.sort("order").drop("order")
    pairs = [pair for table in tables for pair in table.same]
    frame = frame.with_columns(group_id=_groups(joined, pairs, frame["image_id"]))
    return Catalog(frame, tuple(sorted(counts["image_id"])))


def _validate(table: SourceTable) -> None:
    rows, kind = table.rows, table.kind
    if rows.is_empty():
        raise DataError(f"rows in the table of {kind}", "none", "check the table's file")
    nameless = rows["image_id"].null_count() + (rows["image_id"] == "").sum()
    if nameless:
        raise DataError(f"an image id in every row of {kind}", f"{nameless} without", "name them")
    twice = rows.filter(pl.col("image_id").is_duplicated())["image_id"].unique(maintain_order=True)
    if len(twice):
        raise DataError(
            f"one row per image id in {kind}",
            f"{len(twice)} ids in several rows ({_few(twice)})",
            "keep one row of each",
        )
    for column, words in (("sex", SEXES), ("site", SITES), ("diagnosis", DIAGNOSES)):
        strange = rows.filter(~pl.col(column).is_in(list(words)) | pl.col(column).is_null())
        if not strange.is_empty():
            found = strange[column].unique(maintain_order=True)
            raise DataError(
                f"{column} of {kind} among {', '.join(words)}", _few(found), "map or correct them"
            )
    ages = rows.filter(~pl.col("age").is_between(0, MAX_AGE) | pl.col("age").is_nan())
    if not ages.is_empty():
        raise DataError(
            f"ages of {kind} from 0 to {MAX_AGE:g} years or empty",
            f"{ages['age'][0]} for {ages['image_id'][0]}",
            "correct the table",
        )
    if not rows["target"].is_in([0, 1]).all() or rows["target"].null_count():
        raise DataError(f"target 0 or 1 in every row of {kind}", "other values", "correct them")
    torn = rows.filter((pl.col("diagnosis") == "melanoma") != (pl.col("target") == 1))
    if not torn.is_empty():
        raise DataError(
            f"target 1 for each melanoma of {kind} and for nothing else",
            f"{torn.height} rows otherwise ({_few(torn['image_id'])})",
            "correct one of the columns",
        )


def _refuse_conflicts(joined: pl.DataFrame) -> None:
    torn = joined.group_by("image_id").agg(pl.col("target").n_unique()).filter(pl.col("target") > 1)
    if not torn.is_empty():
        raise DataError(
            "archives that agree on a photograph's label",
            f"{torn.height} ids with two labels ({_few(torn['image_id'].sort())})",
            "leave one of the archives out or correct its table",
        )


def _groups(
    joined: pl.DataFrame, pairs: Sequence[tuple[str, str]], image_ids: pl.Series
) -> pl.Series:
    """Name the connected components over shared patients, shared lesions and listed pairs.

    Every row of every archive counts, kept or not: one may name the lesion that another leaves
    blank. So do listed ids without a row, which may join two that have one.
    """
    names = dict.fromkeys([*image_ids, *(name for pair in pairs for name in pair)])
    node = {name: number for number, name in enumerate(names)}
    nodes = joined.with_columns(node=pl.col("image_id").replace_strict(node, return_dtype=pl.Int64))
    edges = [np.array([[node[a], node[b]] for a, b in pairs], np.int64).reshape(-1, 2)]
    for column in ("patient_id", "lesion_id"):
        known = nodes.filter(pl.col(column).is_not_null())
        first = known.with_columns(first=pl.col("node").first().over(column))
        edges.append(first.select("node", "first").to_numpy())
    left, right = np.concatenate(edges).T
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(node), len(node)))
    _, component = connected_components(graph, directed=False)
    named = pl.DataFrame({"image_id": image_ids, "component": component[: len(image_ids)]})
    # The smallest id names the group, so that names do not depend on the order of rows.
    return named.select(pl.col("image_id").min().over("component")).to_series().alias("group_id")


def _smallest_names(names: Iterable[str], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each name to the smallest of those that the pairs connect it to."""
    listed = sorted(names)
    node = {name: number for number, name in enumerate(listed)}
    left = [node[a] for a, _ in pairs]
    right = [node[b] for _, b in pairs]
    graph = coo_array((np.ones(len(pairs), np.int8), (left, right)), shape=(len(node), len(node)))
    _, component = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(int(c), name) for name, c in zip(listed, component, strict=True)}


def _few(values: Iterable[object], most: int = 3) -> str:
    words = [str(v) for v in values]
    return ", ".join(words[:most]) + (", ..." if len(words) > most else "")
