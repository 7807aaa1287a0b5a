"""Near-duplicates of development photographs, where the archives of the development are at hand."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.development import DEVELOPMENT, PARTS, find_development, read_development
from melanoscope.data.pixel_store import ProgressCallback, open_pixel_store
from melanoscope.data.sources import DataSpec, read_sources
from melanoscope.evaluation.overlap import with_contents
from melanoscope.inference.bundle import Bundle

# Near-duplicates are judged at one size, whatever the network sees.
_CHECK_SIZE = 128


def near_duplicates_of_development(
    catalog: Catalog,
    evaluated: Sequence[DataSpec],
    development: Sequence[DataSpec],
    options: ReadOptions,
    bundle: Bundle,
    progress: ProgressCallback | None = None,
) -> dict[str, str | None]:
    """Find photographs of an archive that show the same picture as one of the development.

    Args:
        catalog: Photographs of the archive.
        evaluated: The archives that `catalog` was read from.
        development: The archives that the network was developed on.
        options: How archives are read.
        bundle: The network.
        progress: Called with the number of decoded photographs and their total.

    Returns:
        Id of each such photograph -> what its double was used for, one of `PARTS`; None where the
        bundle does not tell. Of several doubles the first of `PARTS` counts.

    Raises:
        DataError: The archives do not fit together, or hold no readable photograph.
    """
    from melanoscope.audit.near_duplicates import find_near_duplicates

    # An archive that is on both sides needs no looking at pictures.
    others = [spec for spec in development if spec not in evaluated]
    if not others:
        return {}
    tables = [read_sources([spec], options)[0] for spec in (*others, *evaluated)]
    whole = build_catalog(tables, catalog.target).with_files
    store = open_pixel_store(whole, _CHECK_SIZE, options.cache, progress=progress)
    whole = whole.without(store.unreadable)
    ids = whole.frame["image_id"].to_list()
    pairs = find_near_duplicates(store.pixels, ids, rows=store.rows(ids))
    # By path: where two tables use a name for two photographs, one of them is renamed.
    path_of = dict(whole.frame.select("image_id", "path").iter_rows())
    name_of = {path: name for name, path in catalog.frame.select("image_id", "path").iter_rows()}
    part_of = _parts(whole, store.contents, bundle)
    found: dict[str, str | None] = {}
    for pair in pairs:
        for mine, other in ((pair.a, pair.b), (pair.b, pair.a)):
            name = name_of.get(path_of[mine])
            if name is not None and path_of[other] not in name_of:
                found[name] = _first(found.get(name, PARTS[-1]), part_of.get(other))
    return found


def _parts(whole: Catalog, contents: dict[str, str], bundle: Bundle) -> dict[str, str | None]:
    """Return what each photograph was used for, as far as the bundle tells."""
    if DEVELOPMENT not in bundle.manifest.files:
        return {}
    hashes = read_development(bundle.folder / DEVELOPMENT)
    frame = with_contents(whole.frame, contents)
    found = find_development(frame, whole.id_spaces, hashes)
    return dict(found.select("image_id", pl.coalesce("in_content", "in_image_id")).iter_rows())


def _first(one: str | None, other: str | None) -> str | None:
    """Return the part that weighs more: one that nobody knows, else the earlier of `PARTS`."""
    if one is None or other is None:
        return None
    return min(one, other, key=PARTS.index)
