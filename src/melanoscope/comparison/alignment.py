"""Rows of several files matched by photograph: none may lack what another has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.comparison.model_predictions import ModelPredictions
from melanoscope.comparison.truth import Truth
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError
from melanoscope.stats.arrays import Codes

SHOWN = 5
"""So many ids are named in an error."""

Key = tuple[str, int]  # a photograph, and the fold it was tested in where it was tested again


def align_models(models: Sequence[ModelPredictions]) -> list[Codes]:
    """Match the rows of all models to those of the first.

    Args:
        models: At least one model.

    Returns:
        For each model the row of each of the first one's rows, shape (n,).

    Raises:
        DataError: No model, two of one name, an id twice, or a photograph that one file has and
            another lacks.
    """
    if not models:
        raise DataError("predictions of at least one model", "none", "name a file")
    names = [model.name for model in models]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(
            "models of different names",
            f"several called {abbreviate((repr(name) for name in twice), SHOWN)}",
            "rename the files, or leave one out",
        )
    keys = [_keys(model) for model in models]
    for model, own in zip(models[1:], keys[1:], strict=True):
        _refuse_others(models[0].name, keys[0], model.name, own)
    places = [{key: row for row, key in enumerate(own)} for own in keys]
    return [np.array([place[key] for key in keys[0]], np.int64) for place in places]


def _keys(model: ModelPredictions) -> list[Key]:
    """Return what tells a model's rows apart: the id, or in repeated runs the id and the fold."""
    ids = model.image_id.tolist()
    if len(set(ids)) == len(ids):
        return [(one, 0) for one in ids]
    keys = [(one, -1) for one in ids]
    if model.fold is not None:
        keys = list(zip(ids, model.fold.tolist(), strict=True))
    if len(set(keys)) < len(keys):
        seen: set[Key] = set()
        twice = [key[0] for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        raise DataError(
            f"each photograph once in the predictions of '{model.name}'",
            f"{len(set(twice)):,} several times ({abbreviate(dict.fromkeys(twice), SHOWN)})",
            "keep one row of each; a folder's name is no part of an id",
        )
    return keys


def _refuse_others(first: str, keys: list[Key], second: str, others: list[Key]) -> None:
    ours, theirs = set(keys), set(others)
    if ours == theirs:
        return
    ids, other_ids = {key[0] for key in keys}, {key[0] for key in others}
    if ids == other_ids:
        raise DataError(
            f"each photograph tested in the same folds by '{first}' and '{second}'",
            "other repeats, folds or seeds",
            "compare networks of one run, or of runs that were divided alike",
        )
    said = []
    for name, lacking in ((second, ids - other_ids), (first, other_ids - ids)):
        if lacking:
            shown = abbreviate(sorted(lacking), SHOWN)
            said.append(f"'{name}' lacks {len(lacking):,} ({shown})")
    case = {one.casefold() for one in ids} & {one.casefold() for one in other_ids}
    alike = " (ids differ by upper and lower case)" if case and not ids & other_ids else ""
    raise DataError(
        f"the same photographs in '{first}' and '{second}'",
        f"{' and '.join(said)}{alike}",
        "predict all of them, or leave the others out of every file",
    )


def align_truth(image_id: NDArray[Any], truth: Truth) -> Codes:
    """Return the row of the truth for each of `image_id`, (n,); refuse ids that it lacks."""
    place = {one: row for row, one in enumerate(truth.image_id.tolist())}
    lacking = list(dict.fromkeys(one for one in image_id.tolist() if one not in place))
    if lacking:
        case = {one.casefold() for one in place}
        alike = " (ids differ by upper and lower case)" if lacking[0].casefold() in case else ""
        raise DataError(
            "every photograph of the predictions in the table of the truth",
            f"{len(lacking):,} that it lacks ({abbreviate(lacking, SHOWN)}){alike}",
            "name the table of this test set with --truth",
        )
    return np.array([place[one] for one in image_id.tolist()], np.int64)


def common_folds(models: Sequence[ModelPredictions], rows: Sequence[Codes]) -> Codes | None:
    """Return the fold of each photograph, in the first model's order.

    Args:
        models: The models.
        rows: Their rows as `align_models` gives them.

    Returns:
        Codes from 0, shape (n,); None where a model does not say its folds.

    Raises:
        DataError: Two models that divide the photographs otherwise, whatever they call the folds.
    """
    told = [
        (model.name, model.fold[order])
        for model, order in zip(models, rows, strict=True)
        if model.fold is not None
    ]
    for name, fold in told[1:]:
        pairs = np.unique(np.stack([told[0][1], fold]), axis=1)
        if pairs.shape[1] != np.unique(fold).size or pairs.shape[1] != np.unique(pairs[0]).size:
            raise DataError(
                f"the same folds in '{told[0][0]}' and '{name}'",
                "photographs of one fold of the one in several of the other",
                "compare predictions of networks that were trained and tested alike",
            )
    if len(told) < len(models):
        return None
    return np.unique(told[0][1], return_inverse=True)[1].astype(np.int64)
