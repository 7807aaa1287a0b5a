"""One name for each class, whether a tool calls it MEL, mel or melanoma; and tables of numbers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from melanoscope.data.sources.text_table import read_table
from melanoscope.data.vocabulary import DIAGNOSIS_WORDS, MALIGNANCY, UNSPECIFIC, plain_word
from melanoscope.errors import DataError, one_line

UNKNOWN = "unknown"
MALIGNANT, BENIGN, INDETERMINATE = "malignant", "benign", "indeterminate"

_NUMBER_NAMES = ("label", "index", "number", "class", "class_index", "id", "code")
_WORD_NAMES = ("diag", "diagnosis", "dx", "name", "class_name", "diagnostic", "class", "label")


def class_name(word: str) -> str:
    """Return one name for all words that mean the same diagnosis.

    Args:
        word: Name of a class as somebody wrote it.

    Returns:
        Our diagnosis where the vocabulary knows the word; "benign", "malignant", "indeterminate" or
        "unknown" where that is all it says; else the word itself, in lower case and on one line.

    >>> [class_name(word) for word in ("MEL", "melanoma", "Nevi", "Malignant", "UNK", "Class_A")]
    ['melanoma', 'melanoma', 'nevus', 'malignant', 'unknown', 'class a']
    """
    plain = plain_word(one_line(word))
    diagnosis = DIAGNOSIS_WORDS.get(plain)
    if diagnosis is None:
        return one_line(plain)
    return diagnosis.removeprefix("unknown ") if diagnosis in UNSPECIFIC else diagnosis


def is_known_word(word: str) -> bool:
    """Whether the vocabulary knows a `word` for a diagnosis.

    >>> is_known_word("AKIEC"), is_known_word("prob")
    (True, False)
    """
    return plain_word(word) in DIAGNOSIS_WORDS


def is_positive(name: str, positives: Collection[str]) -> bool | None:
    """Say whether a class belongs to those that are asked for.

    Args:
        name: Class as `class_name` gives it.
        positives: The classes that are asked for, as `class_name` gives them; "malignant" stands
            for every malignant diagnosis.

    Returns:
        True, False, or None where the class does not tell.

    >>> [is_positive(name, {"melanoma"}) for name in ("melanoma", "nevus", "benign", "malignant")]
    [True, False, False, None]
    """
    if name in positives:
        return True
    if name in (UNKNOWN, MALIGNANT, INDETERMINATE):
        return None
    if name == BENIGN:
        return None if any(MALIGNANCY.get(one) == BENIGN for one in positives) else False
    if MALIGNANT in positives and name in MALIGNANCY:
        return {MALIGNANT: True, BENIGN: False}.get(MALIGNANCY[name] or "")
    return False


def read_class_table(path: str | Path) -> dict[str, str]:
    """Read which number stands for which class.

    Args:
        path: Table with a column of numbers (``label``, ``index``, ...) and one of names (``diag``,
            ``diagnosis``, ``name``, ...).

    Returns:
        Number as text -> name of the class as written.

    Raises:
        DataError: No such columns, a blank cell, something that is no whole number, or a number or
            a name that stands twice.
    """
    path = Path(path)
    table = read_table(path, {"number": _NUMBER_NAMES, "name": _WORD_NAMES})
    if table.names["number"] == table.names["name"]:
        raise DataError(
            f"a column of numbers and a column of names in '{path}'",
            f"only '{table.names['name']}'",
            "write them as the columns diag and label",
        )
    names: dict[str, str] = {}
    for number, name, line in table.frame.select("number", "name", "line").iter_rows():
        code = whole_number(number)
        if code is None or name is None:
            raise DataError(
                f"a whole number and a name in each row of '{path}'",
                f"'{number}' and '{name}' in line {line}",
                "correct the table",
            )
        if code in names or class_name(name) in map(class_name, names.values()):
            raise DataError(
                f"each number and each class once in '{path}'",
                f"'{name}' = {code} in line {line}, which stands above already",
                "correct the table",
            )
        names[code] = name
    return names


def whole_number(text: str | None) -> str | None:
    """Return a whole number from 0 on as digits, also where it was written as "4.0"; else None.

    >>> whole_number("4.0"), whole_number("04"), whole_number("-1"), whole_number("mel")
    ('4', '4', None, None)
    """
    digits = (text or "").strip()
    whole, dot, rest = digits.partition(".")
    if dot and rest.strip("0"):
        return None
    return str(int(whole)) if whole.isascii() and whole.isdigit() and len(whole) < 10 else None
