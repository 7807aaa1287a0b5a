"""Run folders with seeded random predictions: three networks, one only from scratch."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.runs.cell import CellKey
from melanoscope.runs.file_records import identity_hash, record_files
from melanoscope.runs.files import CELL_FILES, TABLES
from melanoscope.target import MELANOMA

from .torture.recorder import pytest_runtest_makereport  # noqa: F401 - a hook, for all tests

SKILL = {
    ("standard_cnn", "scratch"): 0.7,
    ("resnet50", "scratch"): 1.1,
    ("resnet50", "finetune"): 2.6,
    ("resnet50", "frozen"): 1.5,
    ("vgg16", "scratch"): 0.9,
    ("vgg16", "finetune"): 1.8,
    ("vgg16", "frozen"): 0.9,
}
LABELS = {"standard_cnn": "Standard CNN", "resnet50": "ResNet-50", "vgg16": "VGG-16"}
FOLDS = 5


def make_record(skill, folds, photographs, simulated, target=MELANOMA, repeats=1, seeds=1):
    backbones = list(dict.fromkeys(b for b, _ in skill))
    sizes = [
        {"fold": f, "photographs": photographs // folds, "positives": 12, "groups": 40}
        for f in range(folds)
    ]
    source = {"rows": photographs + 7, "found": photographs + 2, "absent": 5}
    return {
        "schema": 4,
        "identity": {"seed": 3},
        "threads": 2,
        "weights": {},
        "files": {},
        "melanoscope": "0.1.0",
        "created": "2024-05-06T07:08:09+00:00",
        "configuration": {
            "data": ["pad-ufes-20=pad", "isic2020=isic"],
            "backbones": backbones,
            "transfer": ["scratch", "finetune", "frozen"],
            "folds": folds,
            "repeats": repeats,
            "seeds": seeds,
            "size": 128,
            "seed": 3,
            "recipe": {
                "epochs": 15,
                "learning_rate": 0.0005,
                "batch_size": 64,
                "patience": 3,
            },
            "protocol": "corrected",
            "columns": {},
            "image_types": [],
            "near_duplicates": True,
            "weights": None,
            "threads": None,
            "target": target.to_dict(),
            "simulated": simulated,
        },
        "versions": {"python": "3.11.7", "torch": "2.11.0"},
        "hardware": {
            "processor": "a processor",
            "cores": 2,
            "accelerator": None,
            "memory_gib": 15.6,
            "precision": "32-true",
        },
        "data": {
            "fingerprint": "0f" * 32,
            "sources": [
                {
                    **source,
                    "kind": "pad-ufes-20",
                    "title": "PAD-UFES-20",
                    "licence": "CC BY 4.0",
                    "attribution": "Pacheco et al. 2020",
                },
                {
                    **source,
                    "kind": "isic2020",
                    "title": "ISIC 2020",
                    "licence": "CC BY-NC 4.0",
                    "attribution": "The ISIC 2020 Challenge Dataset, ViDIR Group & others",
                },
            ],
            "rows": photographs + 7,
            "found": photographs + 2,
            "absent": 5,
            "absent_examples": ["gone_1", "gone_2"],
            "unreadable": [
                {"image_id": "<b>cut</b>", "path": "x/cut.jpg", "reason": "truncated & short"},
                {"image_id": "empty", "path": "x/empty.jpg", "reason": "0 bytes"},
            ],
            "listed_twice": 1,
            "photographs": photographs,
            "positives": photographs // 5,
            "unlabelled": [],
            "notes": [],
            "licences": {},
            "patients": photographs // 3,
            "lesions": photographs // 2,
            "groups": photographs // 3,
        },
        "folds": {"fingerprint": "ab" * 32, "sizes": [sizes] * repeats},
        "skipped": [
            {"backbone": b, "transfer": t, "why": "no ImageNet weights exist"}
            for b in backbones
            for t in ("scratch", "finetune", "frozen")
            if (b, t) not in skill
        ],
    }


def write_run(
    path: Path,
    skill=SKILL,
    *,
    folds=FOLDS,
    photographs=300,
    simulated=False,
    seed=0,
    target=MELANOMA,
    diagnoses=("melanoma", "nevus"),
    repeats=1,
    seeds=1,
):
    """Write a whole run folder and return its path; `diagnoses` are a positive and a negative."""
    rng = np.random.default_rng(seed)
    ids = [f"img_{i:05d}" for i in range(photographs)]
    positive = (np.arange(photographs) % 5 == 0).astype(int)
    fold = rng.permutation(np.arange(photographs) // 5 % folds).astype(int)
    while min(positive[fold == f].sum() for f in range(folds)) < 2:
        fold = rng.permutation(fold)
    divisions = [fold, *(np.roll(fold, 5 * repeat) for repeat in range(1, repeats))]
    path.mkdir(parents=True)
    (path / "run.json").write_text(
        json.dumps(make_record(skill, folds, photographs, simulated, target, repeats, seeds))
    )
    pl.DataFrame(
        {
            "image_id": ids,
            "path": [f"photos/{i}.jpg" for i in ids],
            "content": "0" * 32,
            "dataset": ["pad-ufes-20" if i % 3 else "isic2020" for i in range(photographs)],
            "patient_id": [f"p{i // 3}" for i in range(photographs)],
            "lesion_id": [None] * photographs,
            "group_id": [f"g{i // 3}" for i in range(photographs)],
            "sex": "female",
            "age": 50.0,
            "site": "arm",
            "diagnosis": [diagnoses[0 if t else 1] for t in positive],
            "center": None,
            "malignancy": None,
            "image_type": None,
            "license": None,
            "target": positive,
            **{f"fold_r{repeat}": division for repeat, division in enumerate(divisions)},
            "ita": 45.0,
        }
    ).write_parquet(path / "catalog.parquet")
    easy = rng.normal(size=photographs) * 0.8
    frames = []
    for (backbone, transfer), strength in skill.items():
        for r, f, s in itertools.product(range(repeats), range(folds), range(seeds)):
            mine = np.flatnonzero(divisions[r] == f)
            logit = strength * positive[mine] + easy[mine] + 0.7 * rng.normal(size=mine.size) - 1.5
            frames.append(
                pl.DataFrame(
                    {
                        "image_id": [ids[i] for i in mine],
                        "target": positive[mine],
                        "probability": 1 / (1 + np.exp(-logit)),
                    }
                ).with_columns(
                    fold=pl.lit(f),
                    repeat=pl.lit(r),
                    backbone=pl.lit(backbone),
                    transfer=pl.lit(transfer),
                    seed_index=pl.lit(s),
                    threshold=pl.lit(0.4),
                )
            )
            name = CellKey(r, f, backbone, transfer, s).name
            _write_cell(path, name, mine.size, photographs, rng)
    _write_joined(path, pl.concat(frames), folds)
    record_all(path)
    return path


def record_all(path):
    """Record the files of a run folder as they are now, as whoever wrote them would."""
    record = json.loads((path / "run.json").read_text())
    record["files"] = record_files(path, TABLES)
    (path / "run.json").write_text(json.dumps(record))
    for done in (path / "cells").glob("*/done.json"):
        cell = json.loads(done.read_text())
        cell |= {"identity": identity_hash(record["identity"])}
        cell |= {"files": record_files(done.parent, CELL_FILES)}
        done.write_text(json.dumps(cell))


def _write_joined(path, predictions, folds):
    """Write the tables of all cells; each network is validated on the fold before its own."""
    predictions.write_parquet(path / "predictions.parquet")
    moved = predictions.with_columns(fold=(pl.col("fold") + 1) % folds)
    moved.write_parquet(path / "validation.parquet")
    first = predictions.filter(
        backbone=predictions["backbone"][0], transfer="scratch", seed_index=0
    )
    baseline = first.select("image_id", "target", "probability", "fold", "repeat")
    baseline.with_columns(baseline=pl.lit("archive only")).write_parquet(path / "baselines.parquet")
    pairs = {"a": pl.String, "b": pl.String, "likeness": pl.Float64, "relation": pl.String}
    pl.DataFrame(schema=pairs).write_parquet(path / "near_duplicates.parquet")


def _write_cell(path, name, n_test, photographs, rng):
    folder = path / "cells" / name
    folder.mkdir(parents=True)
    epochs = int(rng.integers(6, 15))
    rise = 0.9 - 0.35 * np.exp(-np.arange(1, epochs + 1) / 3) + rng.normal(size=epochs) * 0.015
    done = {"epochs_run": epochs, "best_epoch": int(rise.argmax()) + 1, "seconds": 61.5}
    done |= {"n_train": int((photographs - n_test) * 0.85), "n_validation": n_test}
    done |= {"n_test": n_test, "threshold": 0.4, "threads": 2}
    done |= {"cell": name, "seeds": CellKey.named(name).seeds(3)}
    done |= {"software": {"torch": "2.11.0"}}
    (folder / "done.json").write_text(json.dumps(done))
    for other in ("model.safetensors", "predictions.parquet", "validation.parquet"):
        (folder / other).write_bytes(name.encode())  # which no reader of reports opens
    pl.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "train_loss": 0.3,
            "val_loss": 0.3,
            "val_auroc": rise,
            "lr": 5e-4,
        }
    ).write_csv(folder / "history.csv")


@pytest.fixture(scope="session")
def labels():
    return LABELS


@pytest.fixture
def run_folder(tmp_path):
    """A fresh run folder that a test may spoil."""
    return write_run(tmp_path / "run")


@pytest.fixture(scope="session")
def writer():
    return write_run
