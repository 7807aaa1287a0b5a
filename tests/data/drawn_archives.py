"""Draws each archive small, in the layout in which it is published: 12 lesions, 4 melanomas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .drawn_isic import (
    bcn20000,
    ham10000,
    isic2018,
    isic2019,
    isic2020,
    isic2024,
    isic_export,
    milk10k,
)
from .drawn_others import (
    class_folders,
    ddi,
    derm7pt,
    fitzpatrick17k,
    nothing,
    own_table,
    pad_ufes_20,
    ph2,
)
from .drawn_rows import IDS, N, Photograph


@dataclass(frozen=True)
class Drawn:
    """An archive as it is drawn, and what must be read of it.

    Attributes:
        make: Draws it into a folder.
        rows: Rows that its reader gives.
        groups: Patients, lesions or single photographs that no split divides.
        malignant: Rows that are malignant; the melanomas are `melanomas`.
        indeterminate: Rows that are neither benign nor malignant.
        about: What is read of the row of one photograph, by its id.
        said: A part of each note that must be there.
    """

    make: Callable[[Path, Photograph], None]
    rows: int = N
    groups: int = N
    melanomas: int = 4
    malignant: int = 4
    indeterminate: int = 0
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    path: str = "."


DRAWN: dict[str, Drawn] = {
    "isic2020": Drawn(isic2020, groups=6),
    "isic2019": Drawn(isic2019, malignant=8, about={IDS[1]: {"lesion_id": "L1"}}),
    "isic2019-melanoma": Drawn(isic2019, rows=4, groups=4),
    "ham10000": Drawn(ham10000, groups=6, indeterminate=4),
    "pad-ufes-20": Drawn(pad_ufes_20, groups=6, malignant=8),
    "table": Drawn(own_table, groups=6),
    "simulated": Drawn(nothing, path="60", rows=60, groups=60, melanomas=-1),
    "isic": Drawn(
        isic_export,
        groups=6,
        indeterminate=4,
        about={IDS[1]: {"site": "head/neck", "license": "CC-0", "diagnosis": "nevus"}},
    ),
    "milk10k": Drawn(
        milk10k,
        rows=2 * N,
        melanomas=8,
        malignant=16,
        about={"ISIC_0000003": {"image_type": "dermoscopic", "lesion_id": "IL_0000001"}},
    ),
    "isic2024": Drawn(
        isic2024, groups=6, malignant=8, about={IDS[2]: {"diagnosis": "basal cell carcinoma"}}
    ),
    "isic2018": Drawn(
        isic2018,
        groups=6,
        malignant=8,
        about={IDS[3]: {"lesion_id": "HAM_1", "image_type": "dermoscopic", "age": None}},
    ),
    "bcn20000": Drawn(
        bcn20000,
        groups=6,
        indeterminate=4,
        about={"BCN_0000000004.jpg": {"site": "torso", "age": 55.0, "lesion_id": "BCN_2"}},
        said=("ISIC 2019",),
    ),
    "ph2": Drawn(ph2, about={"IMD003": {"diagnosis": "nevus", "image_type": "dermoscopic"}}),
    "derm7pt": Drawn(
        derm7pt,
        rows=2 * N,
        melanomas=8,
        malignant=16,
        about={
            "NEL/Nel002.jpg": {
                "image_type": "clinical",
                "lesion_id": "2",
                "site": "lower extremity",
            },
            "NEL/Nel003.jpg": {"image_type": "dermoscopic", "lesion_id": "2", "sex": "female"},
        },
    ),
    "ddi": Drawn(
        ddi,
        malignant=8,
        about={"000002.png": {"malignancy": "malignant", "image_type": "clinical"}},
        said=("1 of the diseases",),
    ),
    "fitzpatrick17k": Drawn(
        fitzpatrick17k,
        rows=N + 1,
        groups=N + 1,
        malignant=8,
        about={
            f"{2:032x}": {"diagnosis": "unknown benign", "malignancy": "benign"},
            f"{N:032x}": {"diagnosis": "unknown", "malignancy": None},
        },
        said=("left out: 1", "near-duplicates", "1 of the labels"),
    ),
    "folder": Drawn(
        class_folders,
        about={"train/Melanoma/000.jpg": {"diagnosis": "melanoma", "malignancy": "malignant"}},
        said=("test, train are joined", "name no patients"),
    ),
}
"""Every kind of archive."""
