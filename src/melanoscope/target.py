"""The target: which lesions count as positive, and the words for them in every text.

Whether a row of an archive is positive is decided in `melanoscope.data.targets`; here is only what
runs, reports, bundles, the API and the page need to say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A binary question that is asked of each lesion.

    Attributes:
        name: Name on the command line and in files: "melanoma", "malignant", or the user's own.
        condition: What is looked for, as in "the probability of ...": "melanoma", "malignancy".
        singular: One positive lesion, without its article: "melanoma", "malignant lesion".
        plural: Several positive lesions: "melanomas", "malignant lesions".
        negative_plural: The lesions that are not positive: "other lesions", "benign lesions".
        diagnoses: The diagnoses that an own grouping counts as positive; empty for "melanoma" and
            "malignant", which follow from the vocabulary.
        indeterminate: What becomes of lesions that are neither benign nor malignant, such as
            actinic keratosis, where malignancy is asked: "exclude" or "malignant".

    >>> f"the probability of {MALIGNANT.condition}"
    'the probability of malignancy'
    """

    name: str
    condition: str
    singular: str
    plural: str
    negative_plural: str
    diagnoses: tuple[str, ...] = ()
    indeterminate: str = "exclude"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, which `from_dict` reads."""
        return asdict(self) | {"diagnoses": list(self.diagnoses)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Target:
        """Return the target that `to_dict` wrote."""
        return cls(**{**values, "diagnoses": tuple(values["diagnoses"])})


MELANOMA = Target("melanoma", "melanoma", "melanoma", "melanomas", "other lesions")
MALIGNANT = Target(
    "malignant", "malignancy", "malignant lesion", "malignant lesions", "benign lesions"
)


def custom_target(name: str, diagnoses: tuple[str, ...]) -> Target:
    """Return the target `name` that counts the lesions of `diagnoses` as positive.

    >>> custom_target("keratinocyte_cancer", ("basal cell carcinoma",)).plural
    'lesions of keratinocyte cancer'
    """
    condition = name.replace("_", " ").replace("-", " ").strip()
    return Target(
        name=name,
        condition=condition,
        singular=f"lesion of {condition}",
        plural=f"lesions of {condition}",
        negative_plural="other lesions",
        diagnoses=diagnoses,
    )
