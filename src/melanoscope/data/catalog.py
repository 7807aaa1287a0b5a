"""One validated table of photographs, whatever archive they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from melanoscope.data.archive import ROW_SCHEMA, Join, SourceTable
from melanoscope.data.content_hash import content_hashes
from melanoscope.data.groups import first_connected, group_ids
from melanoscope.data.identifiers import name_apart, with_global_ids
from melanoscope.data.shared_files import describe_copies, refuse_shared_files
from melanoscope.data.targets import CONTRADICTION, label_rows
from melanoscope.data.validation import abbreviate, validate_table
from melanoscope.errors import DataError
from melanoscope.target import MELANOMA, Target


@dataclass(frozen=True)
class TableFacts:
    """What became of one archive's table.

    Attributes:
        kind: Name of the archive.
        dataset: Name of the table in the catalog.
        rows: Number of its rows.
        found: How many of them have a file.
        missing: Column -> number of rows in which nothing is known.
        joins: What became of its side tables.
        notes: What the user must read of it, one line each.
    """

    kind: str
    dataset: str
    rows: int
    found: int
    missing: dict[str, int]
    joins: tuple[Join, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Catalog:
    """A validated table of photographs.

    Attributes:
        frame: Columns of `ROW_SCHEMA` and `group_id`, one row per image id, in the order of the
            sources; `target` is 0 or 1. Photographs of one `group_id` (one patient, one lesion,
            duplicates) must stay on one side of a split.
        listed_twice: Ids that more than one source lists; the catalog holds one row of each.
        target: What is positive.
        unlabelled: The rows that nobody can call positive or negative, with the same columns and
            the reason in `unlabelled`. No network sees them.
        tables: What became of each archive's table, in the order of the sources.
        notes: What the user must read of the tables together, one line each.
        id_spaces: Name of a table -> the space that its ids belong to, of tables that have one.
    """

    frame: pl.DataFrame
    listed_twice: tuple[str, ...] = ()
    target: Target = MELANOMA
    unlabelled: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: tuple[TableFacts, ...] = ()
    notes: tuple[str, ...] = ()
    id_spaces: Mapping[str, str] = field(default_factory=dict)

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
        merged = first_connected(names, [(group_of[a], group_of[b]) for a, b in pairs])
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


def build_catalog(tables: Sequence[SourceTable], target: Target = MELANOMA) -> Catalog:
    """Join the tables of several archives into one catalog.

    A photograph that two archives of one id space list (all of HAM10000 is in ISIC 2019) keeps one
    row: the first that has a file, else the first. What other tables call by the same name is
    another photograph, another patient, another lesion.

    Args:
        tables: One table per archive, at least one.
        target: What is positive.

    Returns:
        The photographs of all archives, those of one patient, lesion or listed pair in one group.

    Raises:
        DataError: An id twice in one archive, a file that several rows name, rows that contradict
            their own target, archives that disagree on a label, or no row that has one.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from melanoscope.data.archive import ReadOptions
    >>> from melanoscope.data.sources import parse_spec, read_sources
    >>> tables = read_sources([parse_spec("simulated=3")], ReadOptions(Path(tempfile.mkdtemp())))
    >>> catalog = build_catalog(tables)
    >>> len(catalog), catalog.frame["target"].to_list()
    (3, [0, 1, 1])
    """
    tables = name_apart(tables)
    for table in tables:
        validate_table(table, target)
    facts = tuple(_facts(table) for table in tables)
    copies = describe_copies(tables)
    tables, notes = with_global_ids(tables)
    listed = pl.concat(
        [t.rows.select(list(ROW_SCHEMA)).cast(pl.Schema(ROW_SCHEMA)) for t in tables]
    ).with_row_index("order")
    pairs = [pair for table in tables for pair in table.duplicate_pairs]
    refuse_shared_files(listed, pairs)
    listed = label_rows(listed, target)
    _refuse_conflicts(listed)
    listed_twice = listed.filter(pl.col("image_id").is_duplicated())["image_id"].unique()
    group_of = group_ids(listed, pairs)
    group_id = pl.col("image_id").replace_strict(group_of, return_dtype=pl.String)
    kept = _one_row_each(listed).with_columns(group_id=group_id)
    frame = kept.filter(pl.col("target").is_not_null()).drop("unlabelled")
    if frame.is_empty():
        reasons = kept.group_by("unlabelled").len().sort("len", descending=True)
        raise DataError(
            f"rows that can be labelled for the target {target.name}",
            "none: " + ", ".join(f"{n} with {why}" for why, n in reasons.iter_rows()),
            "check the diagnoses or ask for another --target",
        )
    return Catalog(
        frame=frame,
        listed_twice=tuple(sorted(listed_twice)),
        target=target,
        unlabelled=kept.filter(pl.col("target").is_null()),
        tables=facts,
        notes=(*notes, *copies),
        id_spaces={
            str(name): table.id_space
            for table in tables
            if table.id_space is not None
            for name in table.rows["dataset"].unique()
        },
    )


def _facts(table: SourceTable) -> TableFacts:
    rows = table.rows
    missing = {name: rows[name].null_count() for name in ("patient_id", "lesion_id", "age")}
    missing |= {name: int((rows[name] == "unknown").sum()) for name in ("sex", "site", "diagnosis")}
    return TableFacts(
        kind=table.kind,
        dataset=", ".join(sorted(rows["dataset"].unique())),
        rows=rows.height,
        found=rows["path"].count(),
        missing=missing,
        joins=table.joins,
        notes=table.notes,
    )


def _refuse_conflicts(listed: pl.DataFrame) -> None:
    n_targets = pl.col("target").drop_nulls().n_unique().over("image_id")
    ids = listed.filter(n_targets > 1)["image_id"].unique().sort()
    if len(ids):
        raise DataError(
            "archives that agree on a photograph's label",
            f"{len(ids)} ids with two labels ({abbreviate(ids)})",
            "leave one of the archives out or correct its table",
        )


def _one_row_each(listed: pl.DataFrame) -> pl.DataFrame:
    """Keep the first row with a file of each id; it takes over a label that only another has."""
    kept = listed.sort(pl.col("path").is_null(), "order").unique("image_id", keep="first")
    labels = ["diagnosis", "malignancy", "target"]
    labelled = listed.drop_nulls("target").sort("order").unique("image_id", keep="first")
    open_rows = pl.col("target").is_null() & (pl.col("unlabelled") != CONTRADICTION)
    other = kept.filter(open_rows).select("image_id")
    other = other.join(labelled.select("image_id", *labels), on="image_id")
    kept = kept.update(other, on="image_id", how="left")
    unlabelled = pl.when(pl.col("target").is_null()).then("unlabelled")
    return kept.with_columns(unlabelled=unlabelled).sort("order").drop("order")
