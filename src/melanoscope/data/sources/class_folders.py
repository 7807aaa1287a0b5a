"""Photographs without a table: one folder a class, with or without train, val and test above."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.class_files import class_folders, find_repeated, photographs_in
from melanoscope.data.sources.image_files.absent import explain_folders
from melanoscope.data.sources.image_files.folder_walk import walk_folder
from melanoscope.data.sources.image_files.names import key_of
from melanoscope.data.sources.rows import source_table
from melanoscope.data.vocabulary import (
    DIAGNOSES,
    DIAGNOSIS_WORDS,
    MALIGNANCIES,
    UNSPECIFIC,
    plain_word,
)
from melanoscope.errors import DataError, nearest, one_line

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_TWO_CLASSES = "the same photograph lies in folders of two classes"
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
    files, left = photographs_in(contents)
    parts = [path.relative_to(root).parts[:-1] for path in files]
    splits = {key_of(part) for folders in parts for part in folders} & SPLITS
    named = class_folders(parts, SPLITS, lambda name: bool(_known_words(name)))
    repeated, torn = find_repeated({p: c for p, c in zip(files, named, strict=True) if c})
    rows = [
        (path.relative_to(root).as_posix(), str(path), name, _TWO_CLASSES if path in torn else None)
        for path, name in zip(files, named, strict=True)
        if path not in repeated
    ]
    raw = pl.DataFrame(
        rows,
        schema=dict.fromkeys(("image_id", "path", "class", "unlabelled"), pl.String),
        orient="row",
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
                    *left,
                ]
            ),
            "make one folder a class, such as 'melanoma' and 'nevus'",
        )
    notes = [_NO_PATIENTS, *explain_folders(contents), *left]
    if repeated:
        notes.append(f"files of the same content as another one passed over: {len(repeated):,}")
    if len(splits) > 1:
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
        dataset=f"folder:{one_line(root.resolve().name)}",
        notes=notes,
    )


def _classes(names: list[str], root: Path) -> dict[str, tuple[str | None, str | None]]:
    """Map each folder's name to a diagnosis or a malignancy; refuse all other names at once."""
    meaning: dict[str, tuple[str | None, str | None]] = {}
    unknown = []
    for name in names:
        known = _known_words(name)
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


def _known_words(name: str) -> list[str]:
    """Return the words of the vocabulary that a folder's name stands for."""
    # "0_melanoma", "Melanomas" and "vascular" are other people's ways to name a class.
    word = plain_word(name)
    forms = (word, word.lstrip("0123456789.- "), word.removesuffix("s"), f"{word} lesion")
    return [form for form in forms if form in DIAGNOSIS_WORDS or form in MALIGNANCIES]


ARCHIVE = Archive(
    kind="folder",
    title="One folder a class",
    license="as the folder's owner says",
    attribution="the folder's owner",
    read=read,
    layout="CLASS or train/CLASS; a class is a diagnosis, benign or malignant",
)
