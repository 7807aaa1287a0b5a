"""Which rows are positive for a target; a row that nobody can label is left out, never benign."""

from __future__ import annotations

import re

import polars as pl

from melanoscope.data.vocabulary import (
    DIAGNOSES,
    DIAGNOSIS_WORDS,
    MALIGNANCY,
    UNSPECIFIC,
    plain_word,
)
from melanoscope.errors import DataError, nearest
from melanoscope.target import MALIGNANT, MELANOMA, Target, custom_target

NO_DIAGNOSIS = "no diagnosis"
INDETERMINATE = "indeterminate"
CONTRADICTION = "columns that contradict each other"
INDETERMINATE_CHOICES = ("exclude", "malignant")


def parse_target(text: str, indeterminate: str = "exclude") -> Target:
    """Parse the option ``--target``.

    Args:
        text: "melanoma", "malignant", or ``NAME=diagnosis,diagnosis`` with words of the vocabulary.
        indeterminate: What becomes of indeterminate lesions where malignancy is asked: "exclude"
            or "malignant".

    Returns:
        The target.

    Raises:
        DataError: Another word, or an own grouping without a name or of unknown diagnoses.

    >>> parse_target("keratinocyte_cancer=BCC,SCC").diagnoses
    ('basal cell carcinoma', 'squamous cell carcinoma')
    """
    if indeterminate not in INDETERMINATE_CHOICES:
        raise DataError(
            "--indeterminate exclude or malignant", f"'{indeterminate}'", "choose one of the two"
        )
    name, equals, listed = (part.strip() for part in text.partition("="))
    if not equals:
        return _built_in(text.strip().lower(), indeterminate)
    if indeterminate != "exclude":
        raise DataError(
            "--indeterminate malignant only with --target malignant",
            f"--target {text}",
            "list the diagnoses that count",
        )
    if not re.fullmatch(r"[A-Za-z][\w -]{0,39}", name) or (
        name.lower() in (MELANOMA.name, MALIGNANT.name)
    ):
        raise DataError(
            "a name of up to 40 letters, digits, '_' and '-' before '=', and not a target's own",
            f"'{name}'",
            "say --target keratinocyte_cancer=bcc,scc, for example",
        )
    return custom_target(name, _parse_diagnoses(listed))


def _built_in(name: str, indeterminate: str) -> Target:
    if name == MALIGNANT.name:
        return Target(**{**MALIGNANT.to_dict(), "diagnoses": (), "indeterminate": indeterminate})
    if name == MELANOMA.name and indeterminate == "exclude":
        return MELANOMA
    if name == MELANOMA.name:
        raise DataError(
            "--indeterminate malignant only with --target malignant",
            "--target melanoma",
            "leave one of them out",
        )
    raise DataError(
        "--target melanoma, malignant or NAME=diagnosis,diagnosis",
        f"'{name}'",
        _hint(name),
    )


def _hint(name: str) -> str:
    """Say what a word may have meant that is no target."""
    diagnosis = DIAGNOSIS_WORDS.get(plain_word(name))
    if diagnosis == MELANOMA.name:
        return "say --target melanoma"
    if diagnosis is not None and diagnosis not in UNSPECIFIC:
        return f"say --target {diagnosis.replace(' ', '_')}='{diagnosis}'"
    close = nearest(name, [MELANOMA.name, MALIGNANT.name, "malignancy"])
    if close.startswith("nearest"):
        return f"say --target {MELANOMA.name if 'melanoma' in close else MALIGNANT.name}"
    return "say --target keratinocyte_cancer=bcc,scc, for example"


def _parse_diagnoses(listed: str) -> tuple[str, ...]:
    # Some names of diagnoses hold a comma themselves.
    whole = [listed] if plain_word(listed) in DIAGNOSIS_WORDS else listed.split(",")
    words = [word.strip() for word in whole if word.strip()]
    known = {word: DIAGNOSIS_WORDS.get(plain_word(word)) for word in words}
    wrong = [word for word, diagnosis in known.items() if diagnosis in (None, *UNSPECIFIC)]
    if wrong or not words:
        raise DataError(
            "known diagnoses behind '='",
            ", ".join(f"'{word}'" for word in wrong) or "none",
            nearest(plain_word(wrong[0]) if wrong else "", [*DIAGNOSES]),
        )
    return tuple(dict.fromkeys(str(diagnosis) for diagnosis in known.values()))


def label_rows(rows: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Say of each row whether it is positive.

    Args:
        rows: Columns diagnosis (words of the vocabulary), malignancy (null where unknown), target
            (what the table itself states of this target, 0, 1 or null) and unlabelled (why a reader
            says that nobody can label the row, or null).
        target: The target.

    Returns:
        `rows` with a target of 1 or 0, or null and the reason in `unlabelled`.

    >>> rows = pl.DataFrame(
    ...     {
    ...         "diagnosis": ["basal cell carcinoma", "actinic keratosis", "nevus"],
    ...         "malignancy": ["malignant", "indeterminate", "benign"],
    ...         "target": pl.Series([None] * 3, dtype=pl.Int8),
    ...         "unlabelled": pl.Series([None] * 3, dtype=pl.String),
    ...     }
    ... )
    >>> label_rows(rows, MALIGNANT)["target"].to_list()
    [1, None, 0]
    >>> label_rows(rows, MELANOMA)["target"].to_list()
    [0, 0, 0]
    """
    reason = (
        pl.when(pl.col("unlabelled").is_not_null())
        .then("unlabelled")
        .when(contradicts_itself())
        .then(pl.lit(CONTRADICTION))
    )
    stated = pl.when(reason.is_null()).then(pl.coalesce("target", _positive(target)))
    missing = pl.lit(NO_DIAGNOSIS)
    if target.name == MALIGNANT.name:
        missing = pl.when(pl.col("malignancy") == INDETERMINATE).then(pl.lit(INDETERMINATE))
        missing = missing.otherwise(pl.lit(NO_DIAGNOSIS))
    labelled = rows.with_columns(target=stated.cast(pl.Int8), unlabelled=reason)
    filled = pl.when(pl.col("target").is_null()).then(pl.coalesce("unlabelled", missing))
    return labelled.with_columns(unlabelled=filled)


def _positive(target: Target) -> pl.Expr:
    """Return what diagnosis and malignancy say of the target: 1, 0 or null."""
    diagnosis, malignancy = pl.col("diagnosis"), pl.col("malignancy")
    if target.name == MALIGNANT.name:
        counted = target.indeterminate == "malignant"
        positive = malignancy == "malignant"
        return (
            pl.when(positive | ((malignancy == INDETERMINATE) & counted))
            .then(1)
            .when(malignancy == "benign")
            .then(0)
        )
    wanted = target.diagnoses or (MELANOMA.name,)
    can_be_benign = any(MALIGNANCY[name] == "benign" for name in wanted)
    # What is known to be benign is no melanoma, whatever it is.
    ruled_out = pl.lit(not can_be_benign) & (malignancy == "benign")
    specific = ~diagnosis.is_in(list(UNSPECIFIC))
    return (
        pl.when(diagnosis.is_in(list(wanted)))
        .then(1)
        .when(specific | ruled_out.fill_null(value=False))
        .then(0)
    )


def contradicts_itself() -> pl.Expr:
    """Return whether a row says benign of a malignant diagnosis, or malignant of a benign one.

    Returns:
        An expression over the columns diagnosis and malignancy: true or false, never null.
    """
    usual = pl.col("diagnosis").replace_strict(MALIGNANCY, return_dtype=pl.String)
    said, definite = pl.col("malignancy"), ["benign", "malignant"]
    return (usual.is_in(definite) & said.is_in(definite) & (usual != said)).fill_null(value=False)


def contradicts_target(rows: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Return the rows that state a target which their diagnosis or malignancy excludes.

    Args:
        rows: Columns as for `label_rows`.
        target: The target that the column `target` speaks of.

    Returns:
        Those of `rows`.
    """
    return rows.filter((pl.col("target") != _positive(target)).fill_null(value=False))
