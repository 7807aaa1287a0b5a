"""What bundle.json says of where a network comes from: plain values, nothing measured."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from melanoscope import __version__, patient
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.bundle import SCHEMA
from melanoscope.inference.result import DISCLAIMER
from melanoscope.models.backbones import get_backbone

if TYPE_CHECKING:
    from melanoscope.export.trained_model import TrainedModel

DERMOSCOPY = frozenset({"isic2020", "isic2019", "isic2019-melanoma", "ham10000"})
"""Archives of nothing but dermoscopy."""

_SIMULATED = "Trained on simulated lesions: says nothing about skin."


def describe(subject: TrainedModel) -> dict[str, Any]:
    """Return the parts of a record that follow from how a network was trained."""
    backbone = get_backbone(subject.cell.backbone)
    told = subject.network.static_branch is not None
    data = subject.about["data"]
    return {
        "schema": SCHEMA,
        "melanoscope": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": f"{backbone.label}, {subject.cell.transfer}",
        "task": {
            "question": "Is this lesion a melanoma?",
            "labels": ["other lesion", "melanoma"],
            "positive": "melanoma",
        },
        "network": {
            "backbone": backbone.name,
            "label": backbone.label,
            "transfer": subject.cell.transfer,
            "with_static": told,
            "size": subject.plan.image_size,
            "parameters": sum(p.numel() for p in subject.network.parameters()),
        },
        "preprocessing": {
            "decoder_version": DECODER_VERSION,
            "orientation": "EXIF applied",
            "colour": "sRGB, 8 bits; alpha over white",
            "crop": "largest centred square",
            "resampling": "bicubic, antialiased",
            "size": subject.plan.image_size,
            "normalisation": "inside the graph",
        },
        "static": {
            "features": list(patient.FEATURE_NAMES),
            "sexes": list(patient.SEXES),
            "sites": list(patient.SITES),
            "max_age": patient.MAX_AGE,
        }
        if told
        else None,
        "data": {
            **{key: data[key] for key in ("fingerprint", "photographs", "melanomas", "groups")},
            "sources": data["sources"],
            "simulated": subject.plan.simulated,
            "dermoscopy_only": {one["kind"] for one in data["sources"]} <= DERMOSCOPY,
        },
        "training": {
            # A bundle travels; folders of the machine that made it are nobody's business.
            "configuration": {
                **subject.plan.to_dict(),
                "data": [spec.kind for spec in subject.plan.data],
            },
            "recipe": asdict(subject.plan.train),
            "cell": subject.cell.name,
            **{key: subject.done[key] for key in ("epochs_run", "best_epoch", "seed", "seconds")},
            "versions": subject.about["versions"],
            "hardware": subject.about["hardware"],
            "selection": subject.selection,
            "photographs": len(subject.split.train),
        },
        "licence": licence_of(data["sources"]),
        "disclaimer": f"{_SIMULATED} {DISCLAIMER}" if subject.plan.simulated else DISCLAIMER,
    }


def licence_of(sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Say which terms a network inherits from the archives it learnt from."""
    terms = sorted({str(source["licence"]) for source in sources})
    restricted = [one for one in terms if "NC" in one]
    return {
        "terms": terms,
        "non_commercial": bool(restricted),
        "notice": "The network derives from photographs under "
        + ", ".join(terms)
        + ("; it is not to be used commercially." if restricted else "."),
        "attribution": [f"{one['title']}: {one['attribution']}" for one in sources],
    }
