"""Photographs packed into one HDF5 file, as Kaggle serves ISIC 2024: encoded files by id."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from melanoscope.atomic import atomic_path, remove_partials
from melanoscope.data.sources.places import refuse_unnamed
from melanoscope.errors import DataError
from melanoscope.locks import lock_file
from melanoscope.machine_faults import raise_machine_fault


def unpack_images(packed: Path, image_ids: pl.Series, cache: Path) -> dict[str, str]:
    """Unpack photographs into the cache, those that it lacks.

    Args:
        packed: HDF5 file with one dataset for each photograph, named by its id, that holds the
            bytes of a JPEG.
        image_ids: Photographs wanted; ids that the file lacks are passed over.
        cache: Folder of everything that can be made anew. The photographs go into a folder there
            that is named by the file's content.

    Returns:
        Path of each photograph found, by id.

    Raises:
        DataError: h5py is not installed, the file is no HDF5 file, or the cache cannot be written.
    """
    try:
        import h5py
    except ImportError:
        raise DataError(
            f"h5py to read '{packed}'", "no such package", "pip install 'melanoscope[hdf5]'"
        ) from None
    try:
        with packed.open("rb") as file:
            content = hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        refuse_unnamed(cache, "--cache")
        folder = cache.absolute() / "unpacked" / content
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(packed, "r") as archive:
            paths = {name: folder / f"{name}.jpg" for name in image_ids if name in archive}
            missing = [name for name, path in paths.items() if not path.exists()]
            if missing:
                # A second process waits, and what a killed one has begun is removed.
                with lock_file(folder / ".lock", wait=True):
                    remove_partials(folder)
                    for name in missing:
                        _unpack(archive[name], paths[name])
        return {name: str(path) for name, path in paths.items()}
    except OSError as error:
        raise_machine_fault(error)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"photographs in the HDF5 file '{packed}'", reason, "fetch it again, or check --cache"
        ) from None


def _unpack(dataset: object, path: Path) -> None:
    if not path.exists():
        with atomic_path(path) as partial:
            partial.write_bytes(bytes(dataset[()]))  # type: ignore[index]
