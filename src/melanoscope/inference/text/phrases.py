"""An answer in plain words, shared by the terminal and the pictures, so that both say the same."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Measured, Standing
    from melanoscope.patient import PatientInfo

HONESTY = "Research software, not a medical device."
SIMULATED = "Simulated: this network learnt from drawn lesions and says nothing about skin."
DERMOSCOPY = (
    "For dermoscopy: this network learnt from photographs taken through a dermatoscope. "
    "Of one taken without, its answer is worth little."
)
FORCED = "The gate refused this photograph; it was answered only because that was overridden."
ROUNDED = "Rounded, the parts do not add up to the last digit; unrounded they do."

# Control and format characters (escape codes, changes of direction), surrogates (names that are
# no Unicode), private and unassigned ones, and line ends: all that could act instead of being read.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def literal(text: str) -> str:
    r"""Return text in which every character that could act instead of being read is spelt out.

    >>> literal("a\x1b[31mb\n.jpg")
    'a\\x1b[31mb\\n.jpg'
    """
    return "".join(repr(one)[1:-1] if unicodedata.category(one) in _UNSEEN else one for one in text)


def percent(share: float) -> str:
    """Write a share in per cent, with a decimal near the ends and never a false 0 or 100.

    >>> [percent(share) for share in (0.0, 0.0004, 0.018, 0.47, 0.9996, 1.0)]
    ['0 %', 'below 0.1 %', '1.8 %', '47 %', 'above 99.9 %', '100 %']
    """
    if 0 < share < 0.001:
        return "below 0.1 %"
    if 0.999 < share < 1:
        return "above 99.9 %"
    if share in (0, 1) or 0.0995 <= share < 0.99:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %"


def measured(verb: str, found: Measured, of: str) -> str:
    """Write a measured share with its interval.

    >>> from melanoscope.inference.result import Measured
    >>> measured("finds", Measured(0.952, 0.93, 0.97, 471), "melanomas")
    'finds 95.2 % of held-out melanomas (93.0 to 97.0 %; n 471)'
    """
    return (
        f"{verb} {100 * found.estimate:.1f} % of held-out {of} "
        f"({100 * found.low:.1f} to {100 * found.high:.1f} %; n {found.n})"
    )


def known(person: PatientInfo) -> dict[str, str]:
    """Say what is known of a person, part by part.

    >>> from melanoscope.patient import PatientInfo
    >>> known(PatientInfo(45.0, "female"))
    {'age': 'age 45', 'sex': 'sex female', 'site': 'site unknown'}
    """
    age = "unknown" if person.age is None else f"{person.age:g}"
    return {"age": f"age {age}", "sex": f"sex {person.sex}", "site": f"site {person.site}"}


def parts(evidence: EvidenceSum, person: PatientInfo) -> list[tuple[str, float]]:
    """Return the addends of the logit with their names for readers."""
    names = known(person)
    return [
        ("photograph", evidence.photograph),
        (names["age"], evidence.age),
        (names["sex"], evidence.sex),
        (names["site"], evidence.site),
        ("bias", evidence.bias),
    ]


def digits(addends: Sequence[float], total: float) -> tuple[int, bool]:
    """Choose the decimals at which rounded addends sum to their rounded total.

    Returns:
        Decimals from 2 to 4 and whether the sum holds; 2 and False where it does at none of them.

    >>> digits([0.104, 0.104], 0.208)
    (3, True)
    """
    for decimals in (2, 3, 4):
        unit = 10**decimals
        if sum(round(one * unit) for one in addends) == round(total * unit):
            return decimals, True
    return 2, False


def signed(value: float, decimals: int) -> str:
    """Write a number with its sign, the same rounding as `digits`, and no negative zero.

    >>> signed(-0.001, 2), signed(1.236, 2)
    ('+0.00', '+1.24')
    """
    return f"{round(value * 10**decimals) / 10**decimals + 0.0:+.{decimals}f}"


def small(value: float) -> str:
    """Write the ends of a colour scale: two digits that count, no exponent.

    >>> small(0.8234), small(0.00312), small(12.3)
    ('0.82', '0.0031', '12')
    """
    decimals = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(max(decimals, 0), 12)}f}"


def headline(diagnosis: Diagnosis) -> str:
    """Say in one sentence what the network says at its main threshold."""
    if diagnosis.probability is None:
        return "No answer: this photograph was refused."
    if not diagnosis.decisions:
        return "The network gives a probability and has no threshold to judge it by."
    if diagnosis.decisions[0].positive:
        return "The network calls this lesion suspicious of melanoma."
    return "The network does not call this lesion suspicious of melanoma."


def caution(diagnosis: Diagnosis) -> str:
    """Say how often the main decision was wrong on held-out photographs, and what it is not."""
    not_this = "This is not a diagnosis."
    if diagnosis.probability is None:
        return "What the network says of a photograph like this could not be trusted."
    if not diagnosis.decisions:
        return not_this
    main = diagnosis.decisions[0]
    if main.positive and main.specificity is not None:
        wrong = percent(1 - main.specificity.estimate)
        return f"{not_this} It also calls {wrong} of other held-out lesions suspicious."
    if not main.positive and main.sensitivity is not None:
        wrong = percent(1 - main.sensitivity.estimate)
        return f"{not_this} Nor is it an all-clear: it misses {wrong} of held-out melanomas."
    return not_this if main.positive else f"{not_this} Nor is it an all-clear."


def chances(diagnosis: Diagnosis) -> str:
    """Write the probability with the prevalence it assumes; empty where there is none."""
    if diagnosis.probability is None:
        return ""
    return (
        f"{percent(diagnosis.probability)}, assuming that {percent(diagnosis.prevalence)} of "
        "such photographs show melanoma"
    )


def decision(one: Decision) -> str:
    """Say what one threshold says of the photograph."""
    called = "suspicious" if one.positive else "not suspicious"
    return f"{one.name}: {called} (threshold {percent(one.threshold)})"


def standing(found: Standing) -> str:
    """Say where a photograph stands among the held-out ones."""
    return (
        f"Scores higher than {percent(found.among_melanomas)} of held-out melanomas and "
        f"{percent(found.among_others)} of others."
    )
