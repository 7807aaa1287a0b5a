"""Predictions of several models, joined by photograph, with one true label for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.comparison.alignment import SHOWN, align_models, align_truth, common_folds
from melanoscope.comparison.class_names import UNKNOWN, class_name
from melanoscope.comparison.model_predictions import ModelPredictions, refuse_hard_labels
from melanoscope.comparison.questions import Labels, Question, answer_of, find_question, target_of
from melanoscope.comparison.truth import NO_TARGET, Truth
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError
from melanoscope.stats.arrays import Codes, Floats


@dataclass(frozen=True, eq=False)
class JoinedPredictions:
    """Predictions of several models for the same n photographs.

    Attributes:
        image_id: Ids of the photographs in the first model's order, shape (n,). In runs that repeat
            the folds or the seeds a photograph has several rows, told apart by `fold`.
        classes: Names of the classes; ("others", NAME) for a binary question.
        target: True class of each, codes into `classes`, shape (n,); in a binary question 0 or 1.
        probability: Model -> probability of the positive class, shape (n,), or of each class,
            shape (n, k).
        group: Group of each photograph, codes from 0, shape (n,): what is not independent.
        group_unit: What the groups are: "patients and lesions", "lesions", "photographs", ...
        fold: Fold in which each was tested, from 0, shape (n,); None where a file does not say.
        center: Hospital or collection of each, shape (n,); None where nothing says it.
        subgroups: Variable -> level of each photograph, strings, shape (n,).
        notes: What a person should be told, one line each.
    """

    image_id: NDArray[Any]
    classes: tuple[str, ...]
    target: Codes
    probability: Mapping[str, Floats]
    group: Codes
    group_unit: str
    fold: Codes | None
    center: NDArray[Any] | None
    subgroups: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.image_id.size)

    @property
    def is_binary(self) -> bool:
        """Whether one class is told from the others."""
        return next(iter(self.probability.values())).ndim == 1


def join_predictions(
    models: Sequence[ModelPredictions], truth: Truth | None = None, *, positive: Sequence[str] = ()
) -> JoinedPredictions:
    """Join the predictions of several models by photograph.

    Args:
        models: Models as `read_predictions` gives them, of different names.
        truth: What is true of the photographs. Default: the labels of the predictions' own files
            count, and every photograph is a group of its own.
        positive: The classes that are asked for, in any words ("MEL", "melanoma"); their
            probabilities are added up. Default: none is asked for, unless files have the
            probability of one class only.

    Returns:
        The joined predictions, in the first model's order.

    Raises:
        DataError: Two models of one name; photographs that one file has and another lacks, or that
            stand twice, or that the truth lacks; labels that differ or are nowhere; other classes
            or folds; or answers that are only 0 and 1.

    >>> ids = np.array(["a", "b"], object)
    >>> one = ModelPredictions(
    ...     name="one",
    ...     form="",
    ...     image_id=ids,
    ...     classes=("MEL", "NV"),
    ...     probability=np.array([[0.7, 0.3], [0.2, 0.8]]),
    ...     label=np.array(["mel", "nv"]),
    ... )
    >>> joined = join_predictions([one], positive=["melanoma"])
    >>> joined.classes, joined.target.tolist(), joined.probability["one"].tolist()
    (('others', 'melanoma'), [1, 0], [0.7, 0.2])
    """
    rows = align_models(models)
    image_id = models[0].image_id
    question = find_question(models, positive)
    place = None if truth is None else align_truth(image_id, truth)
    sources = [
        (_labels_of(model, order), model.is_binary)
        for model, order in zip(models, rows, strict=True)
        if model.label is not None
    ]
    if truth is not None and place is not None:
        said = Labels("the truth", truth.label[place], truth.target[place])
        if truth.has_labels:
            sources.insert(0, (said, False))
    target = _agreed_target(image_id, sources, question)
    if question.is_binary:
        _refuse_one_class(target, sources, question)
    notes = [f"{model.name}: {note}" for model in models for note in model.notes]
    probability = {}
    for model, order in zip(models, rows, strict=True):
        answer, more = answer_of(model, question)
        refuse_hard_labels(answer, f"'{model.name}'")
        probability[model.name] = answer[order]
        notes += more
    fold = common_folds(models, rows)
    if fold is None and (told := [model.name for model in models if model.fold is not None]):
        names = abbreviate((f"'{name}'" for name in told), SHOWN)
        notes.append(f"only {names} of {len(models)} models tell folds: they are passed over")
    groups = image_id if truth is None or place is None else truth.group[place]
    return JoinedPredictions(
        image_id=image_id,
        classes=question.classes,
        target=target,
        probability=probability,
        group=_numbered(groups),
        group_unit="photographs" if truth is None else truth.group_unit,
        fold=fold,
        center=None if truth is None or truth.center is None else truth.center[place],
        subgroups={} if truth is None else {k: v[place] for k, v in truth.subgroups.items()},
        notes=(*(() if truth is None else truth.notes), *notes),
    )


def _numbered(groups: NDArray[Any]) -> Codes:
    """Number groups from 0 in the order in which they come."""
    # An array of NumPy's own text would be as wide as a stranger's longest name.
    code: dict[str, int] = {}
    return np.array([code.setdefault(name, len(code)) for name in groups.tolist()], np.int64)


def _refuse_one_class(
    target: Codes, sources: Sequence[tuple[Labels, bool]], question: Question
) -> None:
    """Refuse a question to which all photographs have one answer, as after a slip of the pen."""
    if np.unique(target).size == 2:
        return
    words = {word for labels, _ in sources for word in labels.words.tolist() if word}
    raise DataError(
        f"photographs that are {question.classes[1]}, and others",
        f"{target.size:,} {'that all are' if target.all() else 'of which none is'}",
        f"name one of their classes with --positive ({abbreviate(sorted(words), 12) or '1'})",
    )


def _labels_of(model: ModelPredictions, order: Codes) -> Labels:
    if model.label is None:
        raise ValueError(model.name)
    names = {word: None if word is None else class_name(word) for word in set(model.label.tolist())}
    words = [names[word] for word in model.label[order].tolist()]
    words = [None if word == UNKNOWN else word for word in words]
    nothing = np.full(len(words), NO_TARGET, np.int64)
    return Labels(f"'{model.name}'", np.array(words, object), nothing)


def _agreed_target(
    image_id: NDArray[Any], sources: Sequence[tuple[Labels, bool]], question: Question
) -> Codes:
    """Return the one label that all sources give; refuse photographs with two, or without any."""
    agreed = np.full(image_id.size, NO_TARGET, np.int64)
    said_by = np.full(image_id.size, "", object)
    for labels, one_probability in sources:
        codes = target_of(labels, question, one_probability=one_probability)
        differ = (codes != agreed) & (codes != NO_TARGET) & (agreed != NO_TARGET)
        if differ.any():
            first = int(differ.argmax())
            raise DataError(
                f"the same label of each photograph in {said_by[first]} and {labels.source}",
                f"{int(differ.sum()):,} that differ ({abbreviate(image_id[differ], SHOWN)}), "
                f"{image_id[first]}: {question.classes[agreed[first]]} and "
                f"{question.classes[codes[first]]}",
                "correct the labels, or name the numbers of classes with --classes TABLE",
            )
        new = (agreed == NO_TARGET) & (codes != NO_TARGET)
        agreed[new], said_by[new] = codes[new], labels.source
    absent = agreed == NO_TARGET
    if absent.any():
        which = (
            "any photograph"
            if absent.all()
            else f"{int(absent.sum()):,} photographs ({abbreviate(image_id[absent], SHOWN)})"
        )
        raise DataError(
            "a label of each photograph, in the predictions or in the truth",
            f"none of {which} that answers the question",
            "name a table of labels with --truth, or leave those photographs out of every file",
        )
    return agreed
