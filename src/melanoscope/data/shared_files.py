"""Whether rows name one photograph under several names, which would let it be on both sides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from melanoscope.data.archive import SourceTable
from melanoscope.data.content_hash import content_hashes
from melanoscope.errors import DataError

# So many photographs of one name in two tables are compared: a copy of an archive shows at once.
_N_COMPARED = 16


def refuse_shared_files(listed: pl.DataFrame, pairs: Sequence[tuple[str, str]] = ()) -> None:
    """Refuse rows of different ids whose photograph is one file.

    Args:
        listed: Columns image_id, dataset and path (null where there is no file); ids mean the same
            in every row.
        pairs: Pairs of ids that the archives themselves list as one photograph.

    Raises:
        DataError: A file that several rows name, as "a.jpg" and "./a.jpg", or by way of a link to
            its folder; names the first two.
    """
    rows = listed.drop_nulls("path").select("image_id", "dataset", "path")
    rows = rows.filter(~pl.col("image_id").is_in([name for pair in pairs for name in pair]))
    places: dict[str, str] = {}
    file = pl.Series([_real(path, places) for path in rows["path"]], dtype=pl.String)
    rows = rows.with_columns(file=file)
    shared = rows.filter(pl.col("image_id").n_unique().over("file") > 1)
    if shared.is_empty():
        return
    first, second = (
        shared.filter(pl.col("file") == shared["file"][0])
        .unique("image_id", maintain_order=True)[:2]
        .iter_rows(named=True)
    )
    n_files = shared["file"].n_unique()
    raise DataError(
        "one row for each photograph",
        f"{n_files:,} {'file' if n_files == 1 else 'files'} that several rows name (first: "
        f"'{first['path']}', as '{first['image_id']}' of {first['dataset']} and "
        f"'{second['image_id']}' of {second['dataset']})",
        "keep one row of each, or leave one --data out",
    )


def describe_copies(tables: Sequence[SourceTable]) -> tuple[str, ...]:
    """Say which tables look like copies: photographs of one name that hold the same.

    Args:
        tables: Tables as they were read, before their ids are told apart.

    Returns:
        One sentence for each two tables that do not share an id space and yet share content.
    """
    notes = []
    for number, one in enumerate(tables):
        for other in tables[number + 1 :]:
            if one.id_space is not None and one.id_space == other.id_space:
                continue
            both = _with_files(one).join(_with_files(other), on="image_id", suffix="_other")
            some = both.gather_every(max(1, both.height // _N_COMPARED)).head(_N_COMPARED)
            first, second = (content_hashes(some[c].to_list()) for c in ("path", "path_other"))
            same = sum(a is not None and a == b for a, b in zip(first, second, strict=True))
            if same:
                notes.append(
                    f"{_name(one)} and {_name(other)} share {both.height:,} names of photographs, "
                    f"and {same} of {some.height} compared hold the same: where one is a copy of "
                    "the other, leave it out"
                )
    return tuple(notes)


def _with_files(table: SourceTable) -> pl.DataFrame:
    return table.rows.drop_nulls("path").select("image_id", "path")


def _name(table: SourceTable) -> str:
    return str(table.rows["dataset"][0])


def _real(path: str, places: dict[str, str]) -> str:
    """Return a path by which a file is known however its folders are written; `places` are known.

    Links are followed for folders alone: asking of every file costs more than reading the table.
    """
    folder, name = os.path.split(path)
    if folder not in places:
        places[folder] = str(Path(folder).resolve())
    return f"{places[folder]}/{name}"
