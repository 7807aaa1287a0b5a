"""What a bundle's gate accepts, doubts and refuses: its own kind of photograph and other things.

    python benchmarks/quality_gate.py BUNDLE... --lesions FOLDER/lesions
        [--json FILE] [--markdown FILE]

The row "held-out" is the bundle's own record, measured on its test part when it was exported. All
other rows are measured here through the predictor, as people meet it: PNG, or the files as they
are. Photographs that are spoilt on purpose are taken from all of the archives, training photographs
among them: what is judged is what was done to them. Blank skin is simulated: skin cut out of these
small photographs would be refused for its size alone.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from melanoscope.inference.predictor import Predictor, load
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.proportion import wilson_interval
from quality_gate_parts import pictures as made

STATUSES = ("accepted", "doubtful", "refused")
SPOILT = 150
"""Photographs that are spoilt in each way."""
_BATCH = 16


def main() -> None:
    """Measure every set with every bundle and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--lesions", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    sets = picture_sets(options.lesions)
    found = {}
    for folder in options.bundles:
        predictor = load(folder)
        rows = {"held-out photographs of its kind (the bundle's own record)": own_record(predictor)}
        rows |= {name: measure(predictor, pictures) for name, pictures in sets.items()}
        found[folder.name] = {"network": predictor.bundle.manifest.name, "rows": rows}
    text = markdown(found)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text + "\n")


def picture_sets(lesions: Path) -> dict[str, list[bytes]]:
    """Return every set as contents of files."""
    rng = np.random.default_rng(0)
    phones = sorted((lesions / "pad-ufes-20" / "images").glob("*.jpg"))
    folders = ("isic2020/train", "isic2019/ISIC_2019_Training_Input", "ham10000/HAM10000_images")
    files = [path for folder in folders for path in sorted((lesions / folder).glob("*.jpg"))]
    some = [made.read(files[k]) for k in sorted(rng.choice(len(files), SPOILT, replace=False))]
    drawn = {
        "everyday photographs": made.with_crops(made.EVERYDAY, rng),
        "other medical pictures (retina, histology, cells)": made.with_crops(made.MEDICAL, rng),
        "noise": made.noise(rng, 100),
        "smooth noise in colours of skin": made.skin_coloured_noise(rng, 100),
        "blank skin, simulated": made.blank_simulated(rng, 100),
        "screenshots, drawn by a program": [made.screenshot(rng) for _ in range(100)],
        "dermoscopy, blurred by 1 px": [made.blurred(one, 1) for one in some],
        "dermoscopy, blurred by 2 px": [made.blurred(one, 2) for one in some],
        "dermoscopy, blurred by 4 px": [made.blurred(one, 4) for one in some],
        "dermoscopy, a tenth of the light": [made.exposed(one, 0.1) for one in some],
        "dermoscopy, a fiftieth of the light": [made.exposed(one, 0.02) for one in some],
        "dermoscopy, four times the light": [made.exposed(one, 4) for one in some],
        "dermoscopy, thumbnails of 64 px": [made.shrunk(one, 64) for one in some],
        "dermoscopy, thumbnails of 32 px": [made.shrunk(one, 32) for one in some],
    }
    telephone = {"smartphone photographs (PAD-UFES-20)": [path.read_bytes() for path in phones]}
    return telephone | {name: [png(one) for one in some] for name, some in drawn.items()}


def png(picture: made.Picture) -> bytes:
    """Encode without loss: nothing but the picture itself is judged."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def measure(predictor: Predictor, files: list[bytes]) -> dict[str, Any]:
    """Count what becomes of pictures, and each concern."""
    statuses: Counter[str] = Counter()
    concerns: Counter[str] = Counter()
    for start in range(0, len(files), _BATCH):
        decoded = [predictor.decode(one) for one in files[start : start + _BATCH]]
        for answer in predictor.predict(decoded, [PatientInfo()] * len(decoded)):
            statuses[answer.status] += 1
            concerns.update({one.kind for one in answer.concerns})
    n = len(files)
    shares = {name: share(statuses[name], n) for name in STATUSES}
    return {"n": n, **shares, "concerns": {kind: k / n for kind, k in concerns.most_common()}}


def share(count: int, n: int) -> dict[str, float]:
    """Return a share with its Wilson interval."""
    wilson = wilson_interval(count, n)
    return {"estimate": wilson.estimate, "low": wilson.low, "high": wilson.high}


def own_record(predictor: Predictor) -> dict[str, Any]:
    """Return what the bundle says of its held-out photographs."""
    rates = predictor.bundle.manifest.gate.rates["float32"]
    shares = {
        name: {key: getattr(getattr(rates, name), key) for key in ("estimate", "low", "high")}
        for name in STATUSES
    }
    concerns = {kind: one.estimate for kind, one in rates.concerns.items()}
    return {"n": rates.accepted.n, **shares, "concerns": concerns}


def markdown(found: dict[str, Any]) -> str:
    """Lay the results out as one table a bundle."""
    lines = []
    for name, one in found.items():
        lines += [f"### `{name}`: {one['network']}", ""]
        lines += ["| Photographs | n | Accepted | Doubtful | Refused | Most frequent concerns |"]
        lines += ["| --- | ---: | --- | --- | --- | --- |"]
        for what, row in one["rows"].items():
            cells = [_percent(row[status]) for status in STATUSES]
            top = sorted(row["concerns"].items(), key=lambda item: -item[1])[:2]
            words = "; ".join(f"{kind} {100 * rate:.0f} %" for kind, rate in top if rate >= 0.02)
            lines.append(f"| {what} | {row['n']} | {' | '.join(cells)} | {words} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def _percent(one: dict[str, float]) -> str:
    low, high = 100 * one["low"], 100 * one["high"]
    return f"{100 * one['estimate']:.0f} % ({low:.0f}-{high:.0f})"


if __name__ == "__main__":
    main()
