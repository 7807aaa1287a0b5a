"""Photographs without a table: one folder a class, with or without train, val and test above."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.image_files.absent import explain_folders
from melanoscope.data.sources.image_files.folder_walk import walk_folder
from melanoscope.data.sources.image_files.names import is_mask_folder, key_of
from melanoscope.data.sources.rows import source_table
from melanoscope.data.vocabulary import (
    DIAGNOSES,
    DIAGNOSIS_WORDS,
    MALIGNANCIES,
    UNSPECIFIC,
    plain_word,
)
from melanoscope.errors import DataError, nearest

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_NO_PATIENTS = (
    "folders name no patients: photographs of one patient or lesion may fall on both sides of a "
    "split, unless they are near-duplicates"
)


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read every photograph below `folder`; the folder that it lies in says what it shows."""
    root = Path(folder)
    if not root.is_dir():
        raise DataError("a folder with one folder a class", f"no folder at '{root}'", "check it")
    contents = walk_folder(str(root))
    files = [
        Path(file.path)
        for files in contents.images.values()
        for file in files
        if file.suffix and not is_mask_folder(file.folders)
    ]
    rows = []
    splits: set[str] = set()
    for path in sorted(files):
        *folders, _ = path.relative_to(root).parts
        if folders and key_of(folders[0]) in SPLITS:
            splits.add(folders.pop(0))
        rows.append((path.relative_to(root).as_posix(), str(path), folders[0] if folders else None))
    raw = pl.DataFrame(
        rows, schema=dict.fromkeys(("image_id", "path", "class"), pl.String), orient="row"
    )
    loose = raw.filter(pl.col("class").is_null())
    raw = raw.drop_nulls("class")
    if raw.is_empty():
        raise DataError(
            f"photographs in folders named by their class in '{root}'",
            "; ".join(
                [
                    f"{loose.height} photographs and none in such a folder",
                    *explain_folders(contents),
                ]
            ),
            "make one folder a class, such as 'melanoma' and 'nevus'",
        )
    notes = [_NO_PATIENTS, *explain_folders(contents)]
    if splits:
        notes.append(f"the folders {', '.join(sorted(splits))} are joined, and divided into folds")
    if not loose.is_empty():
        notes.append(f"photographs in no folder of a class passed over: {loose.height:,}")
    meaning = _classes(raw["class"].unique(maintain_order=True).to_list(), root)
    old = list(meaning)
    return source_table(
        "folder",
        raw.with_columns(
            pl.col("class")
            .replace_strict(old, [m[place] for m in meaning.values()], return_dtype=pl.String)
            .alias(name)
            for place, name in enumerate(("diagnosis", "malignancy"))
        ),
        root,
        dataset=f"folder:{root.resolve().name}",
        notes=notes,
    )


def _classes(names: list[str], root: Path) -> dict[str, tuple[str | None, str | None]]:
    """Map each folder's name to a diagnosis or a malignancy; refuse all other names at once."""
    meaning: dict[str, tuple[str | None, str | None]] = {}
    unknown = []
    for name in names:
        # "0_melanoma", "Melanomas" and "vascular" are other people's ways to name a class.
        word = plain_word(name)
        forms = (word, word.lstrip("0123456789.- "), word.removesuffix("s"), f"{word} lesion")
        known = [form for form in forms if form in DIAGNOSIS_WORDS or form in MALIGNANCIES]
        if not known:
            unknown.append(name)
        elif known[0] in MALIGNANCIES:
            meaning[name] = (None, known[0])
        else:
            meaning[name] = (DIAGNOSIS_WORDS[known[0]], None)
    if unknown:
        words = [*MALIGNANCIES, *(d for d in DIAGNOSES if d not in UNSPECIFIC)]
        raise DataError(
            f"folders in '{root}' named by a diagnosis, or benign and malignant",
            ", ".join(f"'{name}'" for name in unknown),
            f"rename or remove them; {nearest(plain_word(unknown[0]), words)}",
        )
    return meaning


ARCHIVE = Archive(
    kind="folder",
    title="One folder a class",
    license="as the folder's owner says",
    attribution="the folder's owner",
    read=read,
    layout="CLASS or train/CLASS; a class is a diagnosis, benign or malignant",
)
