"""The same bundle in Chromium and in Python: how long an answer takes, and how far apart they are.

    python benchmarks/device.py LESIONS BUNDLE... [--photographs 240] [--json FILE]

LESIONS holds folders of real photographs (archives of ISIC, HAM10000, PAD-UFES-20); nothing of them
is written anywhere. Chromium, node and `npm ci` in web/ are needed. Time is measured in the page,
decoding included, in turn with `Predictor.diagnose` of the same file's content by as many threads
as that takes by itself. Photographs of phones are not among those at hand: their place is taken by
real ones enlarged, with the noise of a camera, as JPEGs.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from melanoscope.errors import BundleError
from melanoscope.export.latency import machine, spread
from melanoscope.inference.predictor import Predictor, load

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.page import harness

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BUDGET = 0.01
"""Most that two probabilities of one file may differ."""
TIMED, TURNS, EXPLAINED = 20, 5, 4
PHONE_SIDES = (600, 1100, 2200, 3000)


def main() -> None:
    """Compare each bundle, tell, and fail where probabilities are too far apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lesions", type=Path)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--photographs", type=int, default=240)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    files = evenly(args.lesions, args.photographs)
    found: dict[str, Any] = {
        "machine": {**machine(), "load": os.getloadavg()},
        "photographs": len(files),
        "bundles": {},
    }
    with tempfile.TemporaryDirectory() as folder, harness.chromium() as browser:
        found["chromium"] = browser.version
        harness.build(Path(folder), "harness")
        for bundle in args.bundles:
            found["bundles"][bundle.name] = compare(browser, Path(folder), load(bundle), files)
            print(json.dumps({bundle.name: found["bundles"][bundle.name]}, indent=1), flush=True)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    far = [
        name
        for name, one in found["bundles"].items()
        if max(one["difference"][kind]["max"] for kind in one["difference"]) > BUDGET
    ]
    if far:
        sys.exit(f"more than {BUDGET} apart: {', '.join(far)}")


def evenly(lesions: Path, count: int) -> list[Path]:
    """Choose photographs of all archives, as many of each, evenly over their names."""
    archives = [sorted(one.rglob("*.jpg")) for one in sorted(lesions.iterdir()) if one.is_dir()]
    archives = [one for one in archives if one]
    each = -(-count // len(archives))
    return [one[i * len(one) // each] for one in archives for i in range(min(each, len(one)))]


def compare(
    browser: Browser, folder: Path, predictor: Predictor, files: Sequence[Path]
) -> dict[str, Any]:
    """Measure one bundle."""
    service = harness.Service(predictor, folder)
    service.start()
    try:
        with harness.opened(browser, service) as page:
            started = time.perf_counter()
            page.evaluate("harness.open()")
            opening = time.perf_counter() - started
            small = [path.read_bytes() for path in files]
            large = [enlarged(path, number) for number, path in enumerate(files[::4])]
            phones = [enlarged(path, len(PHONE_SIDES) - 1) for path in files[:4]]
            explained = small[:: len(small) // EXPLAINED]
            return {
                "isolated": page.evaluate("harness.isolated()"),
                "first_opening_s": round(opening, 2),
                "difference": {
                    "as they are": differences(page, predictor, small),
                    "enlarged": differences(page, predictor, large),
                },
                "ms": {
                    "short side 160 px": times(page, predictor, small[:: len(small) // TIMED]),
                    "12 megapixels": times(page, predictor, phones),
                },
                "integrated_gradients": gradients(page, predictor, explained),
            }
    finally:
        service.stop()


def enlarged(path: Path, number: int) -> bytes:
    """Make a real photograph as large as a phone's."""
    side = PHONE_SIDES[number % len(PHONE_SIDES)]
    with Image.open(path) as image:
        scale = side / min(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        large = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(number).normal(0, 3, large.shape).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray((large + noise).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def differences(page: Page, predictor: Predictor, contents: Sequence[bytes]) -> dict[str, Any]:
    """Compare probabilities, verdicts and pixels."""
    apart, statuses, pixels = [], 0, []
    for content in contents:
        decoded = predictor.decode(content)
        expected = predictor.diagnose(content, force=True)
        found = harness.diagnose(page, content)
        apart.append(abs(found["probability"] - (expected.probability or 0.0)))
        statuses += found["status"] != expected.status
        square, _ = harness.square(page, content, predictor.bundle.image_size)
        pixels.append(int(np.abs(square.astype(int) - decoded.pixels).max()))
    return {
        "n": len(apart),
        "median": float(np.median(apart)),
        "max": float(np.max(apart)),
        "other_status": statuses,
        "same_pixels": sum(one == 0 for one in pixels),
        "largest_pixel_difference": max(pixels),
    }


def times(page: Page, predictor: Predictor, contents: Sequence[bytes]) -> dict[str, Any]:
    """Time answers in turn, after one that is not counted."""
    there: list[float] = []
    here: list[float] = []
    pause = 0.0
    for content in contents:
        asked = {"content": harness.text(content)}
        told = page.evaluate("a => harness.time(...a)", [asked, TURNS + 1])
        there += told["answers"][1:]
        pause = max(pause, told["pause"])
        for turn in range(TURNS + 1):
            started = time.perf_counter()
            predictor.diagnose(content, force=True)
            if turn:
                here.append(1000 * (time.perf_counter() - started))
    return {
        "n": len(there),
        "chromium": spread(there),
        "python": spread(here),
        "longest_pause_of_the_page": round(pause, 1),
    }


def gradients(page: Page, predictor: Predictor, contents: Sequence[bytes]) -> dict[str, Any] | str:
    """Time and compare Integrated Gradients against black; apart as shares of the largest value."""
    try:
        predictor.bundle.graph("gradient")
    except BundleError as error:
        return error.found
    apart, there, here, steps = [], [], [], []
    for content in contents:
        started = time.perf_counter()
        expected = predictor.explain(content)
        here.append(time.perf_counter() - started)
        started = time.perf_counter()
        found = page.evaluate("a => harness.explain({content: a})", harness.text(content))
        there.append(time.perf_counter() - started)
        steps.append((found["steps"], expected.steps))
        largest = np.abs(expected.pixels).max()
        apart.append(float(np.abs(np.array(found["values"]) - expected.pixels).max() / largest))
    return {
        "share_of_largest": {"median": float(np.median(apart)), "max": max(apart)},
        "chromium_s": spread(there),
        "python_s": spread(here),
        "steps_chromium_python": steps,
    }


if __name__ == "__main__":
    main()
