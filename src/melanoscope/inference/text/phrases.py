"""A diagnosis in plain words, the same in the terminal, on the explanation's page and on the web.

The sentences themselves are in ``phrases.json``; see `sentences`.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

from melanoscope.inference.text.sentences import PHRASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing
    from melanoscope.patient import PatientInfo
    from melanoscope.stats.intervals.interval import Interval
    from melanoscope.target import Target

NOT_A_DEVICE: str = PHRASES["not_a_device"]
SIMULATED: str = PHRASES["simulated"]
DERMOSCOPY: str = PHRASES["dermoscopy"]
FORCED: str = PHRASES["forced"]
ROUNDED: str = PHRASES["rounded"]

# Control and format characters (escape codes, changes of direction), surrogates (names that are
# no Unicode), private and unassigned ones, and line ends: all that could act instead of being read.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def literal(text: str) -> str:
    """Return text in which every character that could act instead of being read is spelt out."""
    return "".join(repr(one)[1:-1] if unicodedata.category(one) in _UNSEEN else one for one in text)


def percent(share: float) -> str:
    """Return a share in per cent, with a decimal near the ends and never a false 0 or 100.

    >>> [percent(share) for share in (0.0, 0.0004, 0.018, 0.47, 0.9996, 1.0)]
    ['0 %', 'below 0.1 %', '1.8 %', '47 %', 'above 99.9 %', '100 %']
    """
    if 0 < share < 0.001:
        return str(PHRASES["percent"]["nearly_none"])
    if 0.999 < share < 1:
        return str(PHRASES["percent"]["nearly_all"])
    if share in (0, 1) or 0.0995 <= share < 0.99:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %"


def measured_share(name: str, share: Interval, target: Target) -> str:
    """Return the clause of a held-out "sensitivity" or "specificity", with its interval."""
    estimate, low, high = (f"{100 * one:.1f}" for one in (share.estimate, share.low, share.high))
    return _fill(PHRASES[name], target, estimate=estimate, low=low, high=high, n=share.n)


def describe_patient(patient: PatientInfo) -> dict[str, str]:
    """Return what is known of a patient in words, by "age", "sex" and "site"."""
    age = "unknown" if patient.age is None else f"{patient.age:g}"
    values = {"age": age, "sex": patient.sex, "site": patient.site}
    return {name: PHRASES["parts"][name].format(value=value) for name, value in values.items()}


def evidence_rows(
    evidence: EvidenceSum, patient: PatientInfo
) -> tuple[list[tuple[str, float]], int, bool]:
    """Return name and value of each addend and, last, of the logit; then `decimals_of_sum`."""
    names = PHRASES["parts"] | describe_patient(patient)
    rows = [(label, getattr(evidence, part)) for part, label in names.items()]
    decimals, holds = decimals_of_sum([value for _, value in rows], evidence.logit)
    return [*rows, ("= logit", evidence.logit)], decimals, holds


def decimals_of_sum(addends: Sequence[float], total: float) -> tuple[int, bool]:
    """Return the decimals, 2 to 4, at which the rounded sum holds, and whether there are any."""
    for decimals in (2, 3, 4):
        unit = 10**decimals
        if sum(round(one * unit) for one in addends) == round(total * unit):
            return decimals, True
    return 2, False


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign, rounded as in `decimals_of_sum`, and no negative zero."""
    return f"{round(value * 10**decimals) / 10**decimals + 0.0:+.{decimals}f}"


def two_digits(value: float) -> str:
    """Return a number of 0 or more with two significant digits and no exponent."""
    decimals = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(max(decimals, 0), 12)}f}"


def headline(diagnosis: Diagnosis) -> str:
    """Return one sentence: what the network says at its main threshold."""
    return _fill(PHRASES["headline"][_outcome(diagnosis)], diagnosis.target)


def caution(diagnosis: Diagnosis) -> str:
    """Return how often the main decision was wrong on held-out photographs, and what it is not."""
    outcome, share = _outcome(diagnosis), None
    if outcome == "positive":
        share = diagnosis.decisions[0].specificity
    elif outcome == "negative":
        share = diagnosis.decisions[0].sensitivity
    if share is None:
        return str(PHRASES["caution"][outcome])
    sentence = PHRASES["caution"][f"{outcome}_measured"]
    return _fill(sentence, diagnosis.target, share=percent(1 - share.estimate))


def probability(diagnosis: Diagnosis) -> str:
    """Return the probability with the prevalence it assumes; empty where there is none."""
    if diagnosis.probability is None:
        return ""
    return _fill(
        PHRASES["probability"],
        diagnosis.target,
        probability=percent(diagnosis.probability),
        prevalence=percent(diagnosis.prevalence),
    )


def decision(one: Decision) -> str:
    """Return what one threshold says of the photograph."""
    sentence = PHRASES["decision"]["positive" if one.positive else "negative"]
    return str(sentence.format(name=one.name, threshold=percent(one.threshold)))


def standing(rank: Standing, target: Target) -> str:
    """Return where a photograph stands among the held-out ones."""
    return _fill(
        PHRASES["standing"],
        target,
        among_positives=percent(rank.among_positives),
        among_others=percent(rank.among_others),
    )


def _outcome(diagnosis: Diagnosis) -> str:
    if diagnosis.probability is None:
        return "refused"
    if not diagnosis.decisions:
        return "no_threshold"
    return "positive" if diagnosis.decisions[0].positive else "negative"


def _fill(sentence: str, target: Target, **values: object) -> str:
    return sentence.format(condition=target.condition, plural=target.plural, **values)
