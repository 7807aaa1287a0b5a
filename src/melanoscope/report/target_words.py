"""Words of the report for a target, beside those that the target has itself."""

from __future__ import annotations

from melanoscope.target import MALIGNANT, MELANOMA, Target


def question_of(target: Target) -> str:
    """Say what a network tells apart, as the beginning of a sentence.

    >>> question_of(MELANOMA)
    'Melanoma against all other diagnoses'
    """
    if target.name == MELANOMA.name and not target.diagnoses:
        return "Melanoma against all other diagnoses"
    if target.name == MALIGNANT.name:
        left_out = target.indeterminate == "exclude"
        fate = "left out" if left_out else "counted as malignant"
        return f"Malignant against benign lesions, indeterminate ones {fate}"
    diagnoses = ", ".join(target.diagnoses)
    return f"{upper_first(target.plural)} ({diagnoses}) against all other diagnoses"


def expected_share(target: Target) -> str:
    """Say how common positives are outside an archive, as the end of a sentence."""
    if not target.diagnoses:
        return "among people's lesions hardly any are"
    return "elsewhere their share is another"


def upper_first(text: str) -> str:
    """Return `text` with a capital first.

    >>> upper_first("malignant lesions")
    'Malignant lesions'
    """
    return text[:1].upper() + text[1:]
