"""What is true of each photograph: its diagnosis, and whose it is; from the archives' own tables.

The photographs themselves need not be there. Columns are those of own tables (see `own_csv`), and
in addition the levels of the ISIC archive's tree and the challenges' tables of one column a class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.comparison.class_names import UNKNOWN, class_name, is_known_word
from melanoscope.comparison.column_names import ColumnPairs
from melanoscope.data.groups import group_ids, group_unit
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources import isic, own_csv
from melanoscope.data.sources.image_files.names import split_row_name
from melanoscope.data.sources.labels import parse_targets
from melanoscope.data.sources.one_hot import read_one_hot
from melanoscope.data.sources.rows import blank_to_null, catalog_rows
from melanoscope.data.sources.text_table import TextTable, read_table
from melanoscope.data.subgroup_variables import age_band
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError, nearest, one_line
from melanoscope.patient import is_missing
from melanoscope.stats.arrays import Codes
from melanoscope.tables.dialect import plain

NO_TARGET = -1
"""Target of a photograph of which the table states none."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    **own_csv.COLUMNS,
    "image_id": (*own_csv.COLUMNS["image_id"], "bcn_filename", "id"),
    "site": (*own_csv.COLUMNS["site"], "anatom_site_general_challenge", "anatom_site_1"),
    "center": (*own_csv.COLUMNS["center"], "attribution", "dataset"),
}
_FURTHER = "further "  # before a column's name, so that it is none of ours


@dataclass(frozen=True, eq=False)
class Truth:
    """What a table says of n photographs.

    Attributes:
        image_id: Ids, strings, each once, shape (n,).
        label: Diagnosis of each as `class_name` gives it, None where unknown, shape (n,).
        target: 1 or 0 where the table states a target, else -1, shape (n,).
        group: Name of the group of each, shape (n,): photographs of one patient or of one lesion.
        group_unit: What the groups are: "patients and lesions", "patients", "lesions" or
            "photographs".
        center: Hospital or collection of each, shape (n,); None where no column says it.
        subgroups: Variable -> level of each photograph, strings, shape (n,): sex, age, site and
            further columns; "unknown" where nothing is known.
        notes: What a person should be told, one line each.
    """

    image_id: NDArray[Any]
    label: NDArray[Any]
    target: Codes
    group: NDArray[Any]
    group_unit: str
    center: NDArray[Any] | None
    subgroups: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.image_id.size)

    @property
    def has_labels(self) -> bool:
        """Whether the label or the target of any photograph is known."""
        return any(self.label.tolist()) or bool((self.target != NO_TARGET).any())


def read_truth(path: str | Path, columns: ColumnPairs = (), further: Sequence[str] = ()) -> Truth:
    r"""Read what is true of photographs from an archive's table, or from anybody's.

    Args:
        path: The table, in CSV of any dialect or a workbook.
        columns: Pairs of our name (image_id, target, diagnosis, patient_id, ...) and the table's;
            names of predictions' columns are passed over.
        further: Columns to divide photographs by, beside sex, age and site.

    Returns:
        What the table says, in its order; rows that are alike count once.

    Raises:
        DataError: No such table, no column of ids or labels, an id twice, or unknown words.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "truth.csv"
    >>> _ = file.write_text("image_id,dx,lesion_id\na,mel,L1\nb,nv,L2\nc,mel,L1\n")
    >>> truth = read_truth(file)
    >>> truth.label.tolist(), truth.group.tolist(), truth.group_unit
    (['melanoma', 'nevus', 'melanoma'], ['a', 'b', 'a'], 'lesions')
    """
    path = Path(path)
    given = {ours: theirs for ours, theirs in columns if ours in own_csv.COLUMNS}
    text = read_table(path, {}, _wanted(given, further))
    _check_columns(text, path, given, further)
    raw = _one_row_each(_with_labels(text, path), path)
    rows = lesions_within_patients(catalog_rows(raw, "truth", path))
    return truth_of(
        rows,
        name=f"'{path.name}'",
        notes=text.notes,
        further={name: _levels(blank_to_null(raw[_FURTHER + name])) for name in further},
    )


def truth_of(
    rows: pl.DataFrame,
    *,
    name: str,
    pairs: Sequence[tuple[str, str]] = (),
    notes: tuple[str, ...] = (),
    further: Mapping[str, NDArray[Any]] | None = None,
) -> Truth:
    """Return what rows of a catalog say, whoever read them.

    Args:
        rows: Columns of `archive.ROW_SCHEMA`, each image id once.
        name: What the rows are of, for readers.
        pairs: Pairs of image ids that are listed as duplicates.
        notes: What a person should be told of how they were read.
        further: Further variables to compare subgroups by, and the level of each row.

    Returns:
        The truth, in the order of the rows.
    """
    group_of = group_ids(rows, pairs)
    rows = rows.with_columns(  # what contradicts itself says nothing
        pl.when(pl.col("unlabelled").is_null()).then("target"),
        pl.when(pl.col("unlabelled").is_null()).then("diagnosis").otherwise(pl.lit(UNKNOWN)),
    )
    label = [None if word == UNKNOWN else word for word in map(class_name, rows["diagnosis"])]
    target = rows["target"].fill_null(NO_TARGET).cast(pl.Int64).to_numpy()
    if not any(label) and (target == NO_TARGET).all():
        notes = (*notes, f"{name} has no labels: those of the predictions count")
    return Truth(
        image_id=np.array(rows["image_id"].to_list(), object),
        label=np.array(label, object),
        target=target,
        group=np.array([group_of[one] for one in rows["image_id"]], object),
        group_unit=group_unit(rows),
        center=None if rows["center"].is_null().all() else _levels(rows["center"]),
        subgroups={**_patients(rows), **(further or {})},
        notes=notes,
    )


def _wanted(given: Mapping[str, str], further: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the names to look for; what ``--columns`` gives is no name of another column."""
    taken = {plain(theirs) for theirs in given.values()}
    names: dict[str, Sequence[str]] = {}
    for ours, common in _NAMES.items():
        free = [name for name in common if name not in taken]
        names[ours] = [given[ours]] if ours in given else free
    levels = {level: [level] for level in isic.LEVELS if level not in names}
    return {**names, **levels, **{_FURTHER + name: [name] for name in further}}


def _check_columns(
    text: TextTable, path: Path, given: Mapping[str, str], further: Sequence[str]
) -> None:
    asked = [*given.items(), *((_FURTHER + name, name) for name in further)]
    for ours, column in asked:
        if ours not in text.names:
            raise DataError(
                f"a column '{column}' in '{path}'",
                "none so named",
                nearest(column, [name for name in text.columns if name]),
            )
    if not {"image_id", "path"} & set(text.names):
        raise DataError(
            f"a column of photographs' ids in '{path}'",
            f"only {abbreviate((repr(column) for column in text.columns if column), 20)}",
            "say --columns image_id=NAME for the one that it is",
        )


def _with_labels(text: TextTable, path: Path) -> pl.DataFrame:
    """Read what the labels' columns say: one of words, levels of a tree, or one for each class."""
    raw, known = text.frame, set(text.names)
    target = parse_targets(
        raw["target"], path, raw["line"], "say --columns diagnosis=NAME if it names diagnoses"
    )
    raw = raw.with_columns(target=target)
    if known & set(isic.LEVELS) - {"diagnosis"}:
        return isic.with_tree(raw, isic.LEVELS, raw["malignancy"], path)
    read = {plain(name) for name in text.names.values()}
    classes = [name for name in text.columns if plain(name) not in read and is_known_word(name)]
    if not known & {"target", "diagnosis", "malignancy"} and len(classes) > 1:
        id_column = text.names.get("image_id") or text.names["path"]
        marked = read_one_hot(path, id_column, classes)
        raw = raw.with_columns(diagnosis=marked["diagnosis"])
    return raw


def _one_row_each(raw: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Take stems as ids, let rows that are alike count once, and refuse an id of two others."""
    written = pl.select(pl.coalesce(raw["image_id"], raw["path"])).to_series()
    ids = [None if one is None or is_missing(one) else split_row_name(one).stem for one in written]
    raw = raw.with_columns(image_id=pl.Series(ids, dtype=pl.String)).drop("path")
    unnamed = raw.filter(pl.col("image_id").fill_null("") == "")
    if unnamed.height:
        raise DataError(
            f"a photograph named in every row of '{path}'",
            f"{unnamed.height:,} without (line {unnamed['line'][0]} first)",
            "name it, or remove the row",
        )
    raw = raw.unique([name for name in raw.columns if name != "line"], maintain_order=True)
    repeated = raw["image_id"].filter(raw["image_id"].is_duplicated()).unique(maintain_order=True)
    if len(repeated):
        raise DataError(
            f"one row per image id in '{path}'",
            f"{len(repeated):,} named by several rows that differ ({abbreviate(repeated, 5)})",
            "keep one row of each",
        )
    return raw


def _patients(rows: pl.DataFrame) -> dict[str, NDArray[Any]]:
    """Return sex, age and site, those of which something is known."""
    levels = {
        "sex": _levels(rows["sex"]),
        "age": np.array([age_band(age) for age in rows["age"]], object),
        "site": _levels(rows["site"]),
    }
    return {name: level for name, level in levels.items() if (level != UNKNOWN).any()}


def _levels(column: pl.Series) -> NDArray[Any]:
    words = [UNKNOWN if word is None else one_line(word) for word in column.to_list()]
    return np.array(words, object)
