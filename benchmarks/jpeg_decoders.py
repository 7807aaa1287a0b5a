"""Our scaled JPEG decoder of the page against kept WebAssembly decoders: agreement and time.

    python benchmarks/jpeg_decoders.py LESIONS [--bundle BUNDLE] [--photographs 60] [--out FILE]

LESIONS holds folders of real photographs; they are enlarged to a telephone's sizes, since only
large JPEGs are decoded scaled. The decoders run in Node.js (`node`, `npm` and `npm ci` in web/ are
needed; the candidates are installed into a temporary folder) and are compared with Pillow's
pixels; with a bundle, also by the probability that it gives to either.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from device import enlarged, evenly
from melanoscope.export.latency import machine
from melanoscope.imaging.decode import decode_image
from melanoscope.inference.predictor import Predictor, load

ROOT = Path(__file__).parents[1]
CANDIDATES = {
    "@jsquash/jpeg": ("1.6.0", "codec/dec/mozjpeg_dec.wasm"),
    "@cornerstonejs/codec-libjpeg-turbo-8bit": ("1.2.8", "dist/libjpegturbowasm_decode.wasm"),
}
DECODERS = ("ours", *CANDIDATES)
ENTRY = """
export { decodeJpeg } from "./jpeg";
export { centredSquare } from "./resample";
export { declaredSize } from "./image_head";
export { draftFactor } from "./decode";
"""
ROUNDS = 3


def build(folder: Path) -> Path:
    """Compile the page's decoder to one file that Node.js can import."""
    entry = ROOT / "web" / "src" / "device" / "benchmark_entry.ts"
    (folder / "empty.config.mjs").write_text("export default {};\n")  # not that of the page
    vite = ["npx", "vite", "build", "--config", str(folder / "empty.config.mjs")]
    vite += ["--ssr", str(entry), "--outDir", str(folder / "ours"), "--logLevel", "error"]
    entry.write_text(ENTRY)
    try:
        subprocess.run(vite, cwd=ROOT / "web", check=True)
    finally:
        entry.unlink()
    return next((folder / "ours").glob("benchmark_entry.*js"))


def install(folder: Path) -> Path:
    """Install the candidates; return their folder."""
    there = folder / "candidates"
    there.mkdir()
    (there / "package.json").write_text("{}")
    names = [f"{name}@{version}" for name, (version, _) in CANDIDATES.items()]
    subprocess.run(["npm", "install", "--silent", *names], cwd=there, check=True)
    return there


def probability(predictor: Predictor | None, pixels: np.ndarray) -> float:
    """Ask a bundle about a decoded square; NaN without one."""
    if predictor is None:
        return float("nan")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return predictor.diagnose(file.getvalue(), force=True).probability or float("nan")


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Decode every photograph with every decoder."""
    predictor = load(args.bundle) if args.bundle else None
    photographs = folder / "photographs"
    photographs.mkdir()
    for number, path in enumerate(evenly(args.lesions, args.photographs)):
        (photographs / f"{number:03d}.jpg").write_bytes(enlarged(path, number))
    candidates = install(folder)
    script = [str(ROOT / "benchmarks" / "jpeg_decoders.mjs"), str(build(folder)), str(candidates)]
    done = subprocess.run(
        ["node", *script, str(photographs), str(args.size), str(ROUNDS)],
        check=True,
        capture_output=True,
        text=True,
    )
    ms = json.loads(done.stdout)
    found: dict[str, Any] = {}
    for index, name in enumerate(DECODERS):
        levels, probabilities, equal, count = [], [], 0, 0
        for path in sorted(photographs.glob("*.jpg")):
            count += 1
            expected = decode_image(path, args.size).pixels
            square = np.fromfile(f"{path}.{index}.rgb", np.uint8).reshape(expected.shape)
            apart = np.abs(square.astype(int) - expected)
            levels.append(int(apart.max()))
            equal += int(apart.max() == 0)
            a, b = probability(predictor, square), probability(predictor, expected)
            probabilities.append(abs(a - b))
        found[name] = {
            "n": count,
            "equal_squares": equal,
            "largest_difference_of_levels": max(levels),
            "largest_difference_of_probability": max(probabilities) if args.bundle else None,
            "median_ms": round(statistics.median(ms[name]), 1),
            "time_ratio_to_ours": round(
                statistics.median(a / b for a, b in zip(ms[name], ms["ours"], strict=True)), 2
            ),
            "bytes": 0
            if name == "ours"
            else (candidates / "node_modules" / name / CANDIDATES[name][1]).stat().st_size,
        }
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lesions", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--photographs", type=int, default=60)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "machine": {**machine(), "load": os.getloadavg()[0]},
            "size": args.size,
            "decoders": measure(args, Path(folder)),
        }
    text = json.dumps(result, indent=1) + "\n"
    if args.out:
        args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
