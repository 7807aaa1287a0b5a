"""A whole bundle.json of made-up numbers, for tests that need no network."""

from __future__ import annotations

import numpy as np

from melanoscope import patient
from melanoscope.inference.quality.gate import LOW, MEASURES
from melanoscope.target import MELANOMA


class Numbers:
    """Gives every place of a record a number of its own, shares between 0.05 and 0.95."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def share(self):
        return round(float(self.rng.uniform(0.05, 0.95)), 6)

    def count(self):
        return int(self.rng.integers(1001, 9999))

    def ascending(self, n):
        return sorted(1.5 + self.count() for _ in range(n))

    def entry(self):
        low, estimate, high = sorted(self.share() for _ in range(3))
        return {
            "estimate": estimate,
            "low": low,
            "high": high,
            "standard_error": None,
            "n": self.count(),
            "method": "group bootstrap, percentile",
            "unit": "groups",
            "confidence": 0.95,
        }

    def bounds(self, *, low):
        nearer, further = sorted(self.share() for _ in range(2))[:: 1 if low else -1]
        return {"doubtful": nearer, "refused": further}


def record_of(seed=0, *, int8=True):
    """Return a whole bundle.json, with other numbers for each seed."""
    draw = Numbers(seed)
    variants = ("float32", "int8") if int8 else ("float32",)
    sources = [
        {
            "kind": kind,
            "title": title,
            "licence": "CC BY-NC 4.0",
            "attribution": f"{title}'s authors",
            "found": draw.count(),
            "rows": 10_000 + draw.count(),
            "absent": draw.count(),
        }
        for kind, title in (("isic2020", "First archive"), ("ham10000", "Second archive"))
    ]
    parts = {
        name: {
            "photographs": 10_000 + draw.count(),
            "positives": draw.count(),
            "groups": draw.count(),
        }
        for name in ("data", "calibration", "heldout")
    }
    return {
        "schema": 2,
        "melanoscope": "0.1.0",
        "created": "2026-01-02T03:04:05+00:00",
        "name": "MobileNetV2, finetune",
        "target": MELANOMA.to_dict(),
        "network": {
            "backbone": "mobilenet_v2",
            "label": "MobileNetV2",
            "transfer": "finetune",
            "with_static": True,
            "size": 64,
            "parameters": draw.count(),
        },
        "preprocessing": {
            "decoder_version": 2,
            "orientation": "EXIF applied",
            "colour": "sRGB",
            "crop": "largest centred square",
            "resampling": "bicubic",
            "size": 64,
            "normalisation": "inside the graph",
        },
        "static": {
            "features": list(patient.FEATURE_NAMES),
            "sexes": list(patient.SEXES),
            "sites": list(patient.SITES),
            "max_age": patient.MAX_AGE,
        },
        "data": {
            "fingerprint": "ab" * 32,
            **parts["data"],
            "sources": sources,
            "diagnoses": [
                {"diagnosis": "melanoma", "positive": True, "photographs": draw.count()},
                {"diagnosis": "nevus", "positive": False, "photographs": draw.count()},
            ],
            "left_out": {"no diagnosis": draw.count()},
            "simulated": False,
            "dermoscopy_only": True,
        },
        "training": {
            "configuration": {
                "data": ["isic2020", "ham10000"],
                "backbones": ["mobilenet_v2"],
                "transfer": ["finetune"],
                "folds": 5,
                "repeats": 1,
                "size": 64,
                "seed": 0,
                "recipe": {"epochs": 1},
                "protocol": "corrected",
                "columns": {},
                "image_types": [],
                "near_duplicates": True,
                "weights": None,
                "simulated": False,
            },
            "recipe": {"epochs": draw.count(), "learning_rate": draw.share()},
            "cell": "mobilenet_v2-finetune-r0-f0",
            "epochs_run": draw.count(),
            "best_epoch": draw.count(),
            "seed": draw.count(),
            "seconds": 12.5,
            "versions": {"torch": "2.14.1"},
            "hardware": {
                "processor": "A processor",
                "cores": draw.count(),
                "memory_gib": draw.share(),
                "accelerator": None,
                "precision": "bf16-mixed",
            },
            "selection": {"by": "highest mean AUROC", "among": draw.count(), "auroc": draw.entry()},
            "photographs": draw.count(),
        },
        "licence": {
            "terms": ["CC BY-NC 4.0"],
            "non_commercial": True,
            "notice": "Derives from photographs under CC BY-NC 4.0.",
            "attribution": ["First archive: authors", "Second archive: authors"],
        },
        "disclaimer": "Research software, not a medical device.",
        "calibration": {
            "temperature": 1 + draw.share(),
            "method": "temperature scaling",
            "prevalence": draw.share(),
            **parts["calibration"],
        },
        "prevalence": draw.share(),
        "prevalence_note": "",
        "thresholds": [
            {
                "key": key,
                "name": key,
                "meaning": f"set for {key}",
                "logit": draw.share(),
                **{m: draw.entry() for m in ("sensitivity", "specificity", "ppv", "npv")},
                "prevalence": 0.25,
            }
            for key in ("main", "other")
        ],
        "metrics": {m: draw.entry() for m in ("auroc", "auprc", "brier", "observed_over_expected")},
        "subgroups": [
            {
                "name": "Sex",
                "levels": [
                    {
                        "level": level,
                        "n": draw.count(),
                        "positives": draw.count(),
                        "groups": 1,
                        "too_small": "",
                        **{m: draw.entry() for m in ("auroc", "sensitivity", "specificity")},
                    }
                    for level in ("female", "male")
                ],
            }
        ],
        "heldout": {**parts["heldout"], "positive_logits": [0.0, 1.0], "other_logits": [0.0, 1.0]},
        "gate": {
            "limits": {name: draw.bounds(low=name in LOW) for name in MEASURES},
            "distance": {
                v: dict(zip(("doubtful_above", "refused_above"), draw.ascending(2), strict=True))
                for v in variants
            },
            "rates": {
                v: {
                    **{o: draw.entry() for o in ("accepted", "doubtful", "refused")},
                    "concerns": {"blurred": draw.entry()},
                }
                for v in variants
            },
        },
        "graphs": {
            "model": {"file": "model.onnx"},
            "gradient": {"file": "gradient.onnx"},
            "int8": {
                "file": "model.int8.onnx",
                "photographs": draw.count(),
                "positives": 12,
                "threshold": 0.25,
                **{
                    f"{m}_{v}": draw.share()
                    for m in ("auroc", "sensitivity", "specificity")
                    for v in ("float32", "int8")
                },
                "logit_difference": 0.125,
                "decided_otherwise": draw.share(),
                "accepted": True,
                "why": None,
            }
            if int8
            else {"why": "not asked for"},
        },
        "variants": {
            v: {
                "bytes": 1_000_000 * draw.count(),
                "milliseconds": {
                    k: 100 * draw.share()
                    for k in ("median", "lower_quartile", "upper_quartile", "fastest")
                },
                "n": draw.count(),
                "threads": draw.count(),
                "machine": {"processor": "P", "cores": draw.count(), "onnxruntime": "1.32.0"},
            }
            for v in variants
        },
        "files": {
            name: {"sha256": "cd" * 32, "bytes": 7}
            for name in ("MODEL_CARD.md", "model.onnx", "weights.safetensors")
        },
        "seal": "ef" * 32,
    }


def merged(record, changes):
    """Return a record with some of its values replaced, those of its parts likewise."""
    return record | {
        key: merged(record[key], value)
        if isinstance(value, dict) and isinstance(record.get(key), dict)
        else value
        for key, value in changes.items()
    }
