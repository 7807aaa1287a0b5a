"""What is asked of each photograph: one class against the others, or which of several it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from melanoscope.comparison.alignment import SHOWN
from melanoscope.comparison.class_names import (
    BENIGN,
    INDETERMINATE,
    MALIGNANT,
    class_name,
    is_positive,
)
from melanoscope.comparison.model_predictions import POSITIVE, ModelPredictions
from melanoscope.comparison.truth import NO_TARGET
from melanoscope.data.validation import abbreviate
from melanoscope.data.vocabulary import MALIGNANCY
from melanoscope.errors import DataError, nearest
from melanoscope.stats.arrays import Codes, Floats

OTHERS = "others"
_ROUNDING = 1e-6


class Labels(NamedTuple):
    """True labels of n photographs from one source.

    Attributes:
        source: The source, for errors.
        words: Labels as `class_name` gives them, or None, shape (n,).
        target: 1 or 0 where the source says so itself, else -1, shape (n,).
    """

    source: str
    words: NDArray[Any]
    target: Codes


class Question(NamedTuple):
    """A question to all models.

    Attributes:
        classes: Names of the classes; ("others", NAME) for a binary question.
        is_binary: Whether each photograph is asked for one probability.
        positives: The classes that a binary question asks for; empty where files have one
            probability and nobody said of what.
        known: Classes of the files that have several.
    """

    classes: tuple[str, ...]
    is_binary: bool
    positives: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()


def find_question(models: Sequence[ModelPredictions], positive: Sequence[str]) -> Question:
    """Find what is asked.

    Args:
        models: The models.
        positive: The classes that are asked for, in any words; empty where none is named.

    Returns:
        A binary question where a class is named, where a file has one probability, or where the
        classes are 0 and 1; else which of the classes that all files have a photograph is.

    Raises:
        DataError: Files of other classes, a class that no file has, or one probability beside
            several classes of which none is named.
    """
    several = [model for model in models if not model.is_binary]
    first = _names(several[0]) if several else ()
    for model in several[1:]:
        _refuse_other_classes(several[0].name, first, model.name, _names(model))
    numbered = set(first) == {"0", "1"}
    if positive or numbered or not several:
        positives = frozenset(map(class_name, positive)) or frozenset({"1"} if numbered else ())
        if several and not any(is_positive(name, positives) for name in first):
            raise DataError(
                f"--positive of a class that '{several[0].name}' has",
                " and ".join(sorted(positives)),
                nearest(min(positives), list(first)),
            )
        named = tuple(dict.fromkeys(map(class_name, positive)))
        return Question((OTHERS, " or ".join(named) or POSITIVE), True, positives, first)
    if len(several) < len(models):
        single = next(model.name for model in models if model.is_binary)
        raise DataError(
            f"the classes of '{several[0].name}' in every file",
            f"the probability of one class only in '{single}'",
            "say with --positive which class it is",
        )
    return Question(first, False, known=first)


def _names(model: ModelPredictions) -> tuple[str, ...]:
    """Return the different classes of a model, as `class_name` gives them."""
    return tuple(dict.fromkeys(map(class_name, model.classes)))


def _refuse_other_classes(
    first: str, ours: tuple[str, ...], second: str, theirs: tuple[str, ...]
) -> None:
    if set(ours) == set(theirs):
        return
    only = [name for name in ours if name not in theirs]
    others = [name for name in theirs if name not in ours]
    numbers = any(name.isdigit() for name in (*only, *others))
    raise DataError(
        f"the same classes in '{first}' and '{second}'",
        f"only in the one: {abbreviate(only) or 'none'}; only in the other: "
        f"{abbreviate(others) or 'none'}",
        "name the numbers with --classes TABLE" if numbers else "write all classes in every file",
    )


def answer_of(model: ModelPredictions, question: Question) -> tuple[Floats, tuple[str, ...]]:
    """Return a model's answer to a question.

    Args:
        model: The model, n rows.
        question: The question.

    Returns:
        Probability of the positive class, shape (n,), or of each class in the question's order,
        shape (n, k); and notes.

    Raises:
        DataError: One-vs-rest scores whose sum exceeds 1 where classes are to be added up.
    """
    if model.is_binary:
        return model.probability[:, 0].copy(), ()
    names = [class_name(word) for word in model.classes]
    if question.is_binary:
        wanted = [i for i, one in enumerate(names) if is_positive(one, question.positives)]
        added = [model.classes[i] for i in wanted]
        note = f"the probabilities of {' and '.join(added)} are added up in '{model.name}'"
        return _sum(model, wanted), (note,) if len(wanted) > 1 else ()
    places = [[i for i, one in enumerate(names) if one == name] for name in question.classes]
    notes = [
        f"{' and '.join(model.classes[i] for i in same)} are both {name} in '{model.name}': their "
        "probabilities are added up"
        for name, same in zip(question.classes, places, strict=True)
        if len(same) > 1
    ]
    return np.column_stack([_sum(model, same) for same in places]), tuple(notes)


def _sum(model: ModelPredictions, columns: list[int]) -> Floats:
    total: Floats = model.probability[:, columns].sum(axis=1)
    too_large = total > 1 + _ROUNDING * len(columns)
    if len(columns) > 1 and (total > 1 + 1e-3).any():
        raise DataError(
            f"probabilities of '{model.name}' that can be added up",
            f"{int(too_large.sum()):,} photographs whose sum exceeds 1 "
            f"({abbreviate(model.image_id[too_large], SHOWN)}): one-vs-rest scores",
            "name one class with --positive, or write probabilities that sum to 1",
        )
    return np.minimum(total, 1.0)


def target_of(labels: Labels, question: Question, *, one_probability: bool) -> Codes:
    """Return the true class of each photograph by one source.

    Args:
        labels: The source.
        question: The question.
        one_probability: Whether "1" and "0" mean positive and negative, as beside one probability.

    Returns:
        Codes into the question's classes, -1 where the source does not tell, shape (n,).

    Raises:
        DataError: Words of diagnoses where nobody said which is asked for, or words that are none
            of the classes.
    """
    if not question.is_binary:
        place = {name: code for code, name in enumerate(question.classes)}
        codes = _coded(labels.words, lambda word: place.get(word, NO_TARGET))
        _refuse_words(labels, question, codes)
        return codes

    def positive(word: str) -> int:
        if one_probability and word in ("0", "1") and word not in question.positives:
            return int(word)
        if not question.positives:
            return {"benign": 0, "malignant": 1}.get(word, NO_TARGET)
        told = is_positive(word, question.positives)
        return NO_TARGET if told is None else int(told)

    _refuse_strange(labels, question, one_probability=one_probability)
    codes = _coded(labels.words, positive)
    if question.positives:
        return np.where(codes == NO_TARGET, labels.target, codes)
    # Nobody said what is positive: the source's own target does.
    codes = np.where(labels.target == NO_TARGET, codes, labels.target)
    if (codes == NO_TARGET).any():
        _refuse_words(labels, question, codes)
    return codes


def _coded(words: NDArray[Any], code: Callable[[str], int]) -> Codes:
    codes = {word: NO_TARGET if word is None else code(word) for word in set(words.tolist())}
    return np.array([codes[word] for word in words.tolist()], np.int64)


def _refuse_strange(labels: Labels, question: Question, *, one_probability: bool) -> None:
    """Refuse words that would pass for negatives, as slips of the pen and other numberings do."""
    positives = question.positives
    known = {*question.known, *positives, *(("0", "1") if one_probability else ())}
    of_ours = bool(positives & {*MALIGNANCY, MALIGNANT})
    if of_ours:
        known |= {*MALIGNANCY, BENIGN, MALIGNANT, INDETERMINATE}
    numbers = all(one.isdigit() for one in positives)
    strange = [
        word
        for word in sorted({word for word in labels.words.tolist() if word} - known)
        if of_ours or word.isdigit() != numbers
    ]
    if positives and strange:
        raise DataError(
            f"labels of {labels.source} that say whether they are {' or '.join(sorted(positives))}",
            abbreviate((repr(word) for word in strange), 10),
            "correct them, or name the numbers of classes with --classes TABLE",
        )


def _refuse_words(labels: Labels, question: Question, codes: Codes) -> None:
    """Refuse words from which no class of the question follows."""
    told = np.array([word is not None for word in labels.words.tolist()], bool)
    wrong = told & (codes == NO_TARGET)
    if not wrong.any():
        return
    words = sorted(set(labels.words[wrong].tolist()))
    if question.is_binary:
        raise DataError(
            f"labels 0 and 1 in {labels.source}",
            abbreviate((repr(word) for word in words), 10),
            "say with --positive which of them is meant by the probability",
        )
    raise DataError(
        f"labels of {labels.source} among the classes {abbreviate(question.classes, 20)}",
        f"{int(wrong.sum()):,} photographs of others: {abbreviate(map(repr, words), 10)}",
        "name the numbers of classes with --classes TABLE, or one class with --positive",
    )
