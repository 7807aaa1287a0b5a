"""Groups: photographs of one patient, of one lesion or listed as duplicates stay together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def group_ids(listed: pl.DataFrame, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each image id to the smallest id that it shares a patient, a lesion or a pair with.

    Every row of every archive counts, kept or not: one may name the lesion that another leaves
    blank. So do paired ids without a row, which may join two that have one.

    Args:
        listed: Columns image_id, patient_id and lesion_id; ids mean the same in every row.
        pairs: Pairs of image ids that belong together.

    Returns:
        Name of the group of each image id.
    """
    edges = list(pairs)
    for column in ("patient_id", "lesion_id"):
        known = listed.drop_nulls(column)
        edges += known.select("image_id", pl.first("image_id").over(column).alias("b")).iter_rows()
    image_ids = set(listed["image_id"])
    rowless = {name for pair in pairs for name in pair} - image_ids
    # Ids with a row come first, so that they name the groups.
    return first_connected([*sorted(image_ids), *rowless], edges)


def first_connected(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each of `names` to the first of them that `edges` connect it to.

    Args:
        names: What is to be grouped, each once.
        edges: Pairs of names that belong together.

    Returns:
        The first name of its group for each name.

    Raises:
        KeyError: An edge names what `names` lacks.

    >>> first_connected(["a", "b", "c", "d"], [("d", "b"), ("b", "c")])
    {'a': 'a', 'b': 'b', 'c': 'b', 'd': 'b'}
    """
    node = {name: number for number, name in enumerate(names)}
    left, right = ([node[edge[end]] for edge in edges] for end in (0, 1))
    graph = coo_array((np.ones(len(edges), np.int8), (left, right)), shape=(len(node), len(node)))
    _, component = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(int(c), name) for name, c in zip(names, component, strict=True)}


def group_unit(rows: pl.DataFrame) -> str:
    """Say what groups are made of.

    Args:
        rows: Columns patient_id and lesion_id; null where none is known.

    Returns:
        Words for readers: "patients and lesions", "patients", "lesions" or "photographs".
    """
    known = [f"{what}s" for what in ("patient", "lesion") if rows[f"{what}_id"].count()]
    return " and ".join(known) or "photographs"
